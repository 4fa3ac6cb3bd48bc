package tidy

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// Globals finds init functions and package-level variables that change: those
// that are assigned to in a function, and those of a type that is made to change.
func Globals(t *Tree) (found []Finding) {
	for _, files := range t.packages() {
		uses := resolve(t.Fset, files)
		for _, s := range files {
			found = append(found, t.declared(s)...)
			s.functions(func(fn *ast.FuncDecl) {
				if fn.Name.Name == "init" && fn.Recv == nil {
					found = append(found, t.find("globals", s, fn, "init", "init: give the value where it is used"))
				}
				for _, changed := range changedIn(fn) {
					if v, ok := uses[changed].(*types.Var); ok && v.Parent() != nil && v.Parent() == v.Pkg().Scope() {
						found = append(found, t.find("globals", s, changed, v.Name(), "package-level variable %s is changed by %s", v.Name(), name(fn)))
					}
				}
			})
		}
	}
	return found
}

// packages groups the files by the package that they are compiled into.
func (t *Tree) packages() map[string][]*Source {
	packages := make(map[string][]*Source)
	for _, s := range t.Sources {
		key := s.Package + " " + s.File.Name.Name
		packages[key] = append(packages[key], s)
	}
	return packages
}

// resolve finds out what the names in one package mean. What it imports is left
// unknown: this is about its own variables.
func resolve(fset *token.FileSet, sources []*Source) map[*ast.Ident]types.Object {
	var files []*ast.File
	for _, s := range sources {
		files = append(files, s.File)
	}
	info := types.Info{Uses: make(map[*ast.Ident]types.Object)}
	cfg := types.Config{Importer: unknown{}, Error: func(error) {}}
	cfg.Check(sources[0].Package, fset, files, &info) // its error is the imports
	return info.Uses
}

// unknown imports nothing.
type unknown struct{}

// Import refuses every path.
func (unknown) Import(path string) (*types.Package, error) {
	return nil, errors.New("not imported: " + path)
}

// declared finds package-level variables whose type says that they change.
func (t *Tree) declared(s *Source) (found []Finding) {
	for _, decl := range s.File.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			v := spec.(*ast.ValueSpec)
			kinds := []ast.Expr{v.Type}
			for _, value := range v.Values {
				if lit, ok := value.(*ast.CompositeLit); ok {
					kinds = append(kinds, lit.Type)
				}
			}
			for _, kind := range kinds {
				if index, ok := kind.(*ast.IndexExpr); ok {
					kind = index.X
				}
				if of := selector(kind); strings.HasPrefix(of, "sync.") || strings.HasPrefix(of, "atomic.") {
					found = append(found, t.find("globals", s, v, v.Names[0].Name, "package-level variable %s is a %s", v.Names[0].Name, of))
				}
			}
		}
	}
	return found
}

// changedIn returns the variables at the root of everything that fn assigns to,
// counts up, deletes from or clears.
func changedIn(fn *ast.FuncDecl) (changed []*ast.Ident) {
	add := func(expr ast.Expr) {
		if id := rootOf(expr); id != nil {
			changed = append(changed, id)
		}
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, left := range n.Lhs {
					add(left)
				}
			}
		case *ast.IncDecStmt:
			add(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				add(n.Key)
				add(n.Value)
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
				add(n.Args[0])
			}
		}
		return true
	})
	return changed
}

// rootOf returns the variable that an expression such as x.f[i] is part of.
func rootOf(expr ast.Expr) *ast.Ident {
	for {
		switch e := expr.(type) {
		case *ast.Ident:
			return e
		case *ast.SelectorExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.SliceExpr:
			expr = e.X
		case *ast.ParenExpr:
			expr = e.X
		case *ast.StarExpr:
			expr = e.X
		default:
			return nil
		}
	}
}

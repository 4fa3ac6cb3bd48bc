package tidy

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Module is the path of the root module.
const Module = "klamm"

// Source is one Go file.
type Source struct {
	Path      string // slash-separated, from the root of the repository
	Package   string // import path
	Test      bool   // a _test.go file
	Generated bool   // has the standard header of generated code
	Lines     int
	File      *ast.File
}

// Tree is the repository, parsed.
type Tree struct {
	Fset    *token.FileSet
	Sources []*Source
	Texts   map[string][]byte // every text file, Go or not, by its path
}

// Finding is one place where a rule is broken.
type Finding struct {
	Rule    string // name of the rule
	Place   string // file, and within it the name, which survives an edit
	Size    int    // for rules that measure
	Message string // what is wrong, with the line
}

// Load reads and parses all of a repository but directories that begin with a
// dot; testdata has texts only.
func Load(root fs.FS) (*Tree, error) {
	files := make(map[string][]byte)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || name == ".git" { // a file in a linked worktree
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err == nil && !bytes.Contains(text, []byte{0}) {
			files[name] = text
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return Parse(files)
}

// Parse parses the Go files among files, which are given by their paths.
func Parse(files map[string][]byte) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet(), Texts: files}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".go") || slices.Contains(strings.Split(name, "/"), "testdata") {
			continue
		}
		file, err := parser.ParseFile(t.Fset, name, files[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		t.Sources = append(t.Sources, &Source{
			Path:      name,
			Package:   path.Join(Module, path.Dir(name)),
			Test:      strings.HasSuffix(name, "_test.go"),
			Generated: ast.IsGenerated(file),
			Lines:     bytes.Count(files[name], []byte("\n")),
			File:      file,
		})
	}
	return t, nil
}

// find makes a finding at a node of s; name is what the place is called there.
func (t *Tree) find(rule string, s *Source, at ast.Node, name, format string, args ...any) Finding {
	place := s.Path
	if name != "" {
		place += " " + name
	}
	line := t.Fset.Position(at.Pos()).Line
	return Finding{
		Rule:    rule,
		Place:   place,
		Message: fmt.Sprintf("%s:%d: %s", s.Path, line, fmt.Sprintf(format, args...)),
	}
}

// functions calls f for each function declaration of s.
func (s *Source) functions(f func(*ast.FuncDecl)) {
	for _, decl := range s.File.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			f(fn)
		}
	}
}

// name is the name of a function, with its receiver's type: conn.serve.
func name(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	return receiver(fn) + "." + fn.Name.Name
}

// receiver is the name of the type that fn is a method of.
func receiver(fn *ast.FuncDecl) string {
	expr := fn.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// selector returns "time.Now" for an expression that reads so, and "" for others.
func selector(expr ast.Expr) string {
	sel, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return pkg.Name + "." + sel.Sel.Name
}

func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Place, b.Place))
	})
	return findings
}

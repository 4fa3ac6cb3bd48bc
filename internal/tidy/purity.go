package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// PureRooms are the packages that turn values into values and do nothing else.
func PureRooms() []string {
	return []string{"protocol", "groupcoord", "partitions", "broker/txncoord"}
}

// impure are imports, with everything below them, that a pure package has no use for.
func impure() []string {
	return []string{"sync", "net", "os", "log", "syscall", "context", "crypto/rand", "runtime"}
}

// ambient are functions that read the clock, wait, or share one random source.
func ambient(name string) bool {
	pkg, fn, _ := strings.Cut(name, ".")
	switch pkg {
	case "time":
		return slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}, fn)
	case "rand":
		return !strings.HasPrefix(fn, "New") && !slices.Contains([]string{"Rand", "Source", "PCG", "ChaCha8", "Zipf"}, fn)
	}
	return false
}

// Purity finds in the code of pure packages, tests left out, what has an effect
// or depends on something other than the arguments.
func Purity(t *Tree, pure []string) (found []Finding) {
	for _, s := range t.Sources {
		dir := strings.TrimPrefix(s.Package, Module+"/")
		isPure := slices.ContainsFunc(pure, func(p string) bool { return below(dir, p) && !below(dir, p+"/internal") })
		if !isPure || s.Test {
			continue
		}
		add := func(at ast.Node, format string, args ...any) {
			found = append(found, t.find("purity", s, at, "", format, args...))
		}
		for _, spec := range s.File.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if slices.ContainsFunc(impure(), func(i string) bool { return below(imported, i) }) {
				add(spec, "a pure package must not import %q", imported)
			}
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				add(n, "a pure package must not start a goroutine")
			case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
				add(n, "a pure package must not use channels")
			case *ast.UnaryExpr:
				if n.Op == token.ARROW {
					add(n, "a pure package must not use channels")
				}
			case *ast.SelectorExpr:
				if called := selector(n); ambient(called) {
					add(n, "a pure package must not use %s: time and randomness come as arguments", called)
				}
			}
			return true
		})
	}
	return found
}

// Sleeps finds sleeping and polling. A sleep is allowed in a function literal
// that is given to synctest.Test, where no time passes.
func Sleeps(t *Tree) (found []Finding) {
	for _, s := range t.Sources {
		s.functions(func(fn *ast.FuncDecl) {
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if selector(n.Fun) == "synctest.Test" {
						return false // its arguments are a bubble
					}
				case *ast.SelectorExpr:
					switch used := selector(n); used {
					case "time.Sleep":
						found = append(found, t.find("sleeps", s, n, name(fn), "%s outside a synctest bubble", used))
					case "time.Tick", "time.NewTicker", "runtime.Gosched":
						found = append(found, t.find("sleeps", s, n, name(fn), "%s: nothing here polls, wait for a signal", used))
					}
				}
				return true
			})
		})
	}
	return found
}

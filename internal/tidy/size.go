package tidy

import (
	"go/ast"
	"slices"
)

// Limits of what a reader takes in at once.
const (
	MaxFunctionLines = 70
	MaxFileLines     = 600
	MaxMedianLines   = 200 // of all files
)

// Sizes finds functions and files that are too long. Generated files have no
// limit.
func Sizes(t *Tree) (found []Finding) {
	var lines []int
	for _, s := range t.Sources {
		if s.Generated {
			continue
		}
		lines = append(lines, s.Lines)
		if s.Lines > MaxFileLines {
			f := t.find("file", s, s.File, "", "file of %d lines, at most %d fit a sitting", s.Lines, MaxFileLines)
			f.Size = s.Lines
			found = append(found, f)
		}
		s.functions(func(fn *ast.FuncDecl) {
			n := t.length(fn)
			if n > MaxFunctionLines {
				f := t.find("function", s, fn, name(fn), "%s has %d lines, at most %d fit a screen", name(fn), n, MaxFunctionLines)
				f.Size = n
				found = append(found, f)
			}
		})
	}
	slices.Sort(lines)
	if len(lines) > 0 && lines[len(lines)/2] > MaxMedianLines {
		found = append(found, Finding{Rule: "median", Place: "all files", Size: lines[len(lines)/2],
			Message: "half of the files are longer than 200 lines"})
	}
	return found
}

// length is how many lines of fn have to be read together: all of them, but that of
// the table that it returns only the longest function in it counts.
func (t *Tree) length(fn *ast.FuncDecl) int {
	lines := func(n ast.Node) int { return t.Fset.Position(n.End()).Line - t.Fset.Position(n.Pos()).Line + 1 }
	table := tableOf(fn)
	if table == nil {
		return lines(fn)
	}
	longest := 0
	ast.Inspect(table, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			longest = max(longest, lines(lit))
		}
		return true
	})
	return lines(fn) - lines(table) + longest
}

// tableOf is the slice or map literal that fn returns at its end, if it does.
func tableOf(fn *ast.FuncDecl) *ast.CompositeLit {
	if fn.Body == nil || len(fn.Body.List) == 0 {
		return nil
	}
	ret, ok := fn.Body.List[len(fn.Body.List)-1].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil
	}
	table, ok := ret.Results[0].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	switch table.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return table
	}
	return nil
}

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

// Sizes finds functions and files that are too long. Generated files have no limit.
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
			n := t.Fset.Position(fn.End()).Line - t.Fset.Position(fn.Pos()).Line + 1
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

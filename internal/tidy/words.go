package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
)

// Docs finds exported names without a doc comment. For constants and variables
// the comment of the group, or one at the end of the line, will do.
func Docs(t *Tree) (found []Finding) {
	for _, s := range t.Sources {
		if s.Test || s.Generated {
			continue
		}
		missing := func(at ast.Node, name string) {
			found = append(found, t.find("docs", s, at, name, "%s is exported and has no doc comment", name))
		}
		for _, decl := range s.File.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				ofHidden := decl.Recv != nil && !ast.IsExported(receiver(decl))
				if decl.Name.IsExported() && decl.Doc == nil && !ofHidden {
					missing(decl, name(decl))
				}
			case *ast.GenDecl:
				undocumented(decl, missing)
			}
		}
	}
	return found
}

func undocumented(decl *ast.GenDecl, missing func(ast.Node, string)) {
	if decl.Tok == token.IMPORT {
		return
	}
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			alone := !decl.Lparen.IsValid() && decl.Doc != nil
			if spec.Name.IsExported() && spec.Doc == nil && !alone {
				missing(spec, spec.Name.Name)
			}
		case *ast.ValueSpec:
			if decl.Doc != nil || spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, id := range spec.Names {
				if id.IsExported() {
					missing(id, id.Name)
				}
			}
		}
	}
}

// machinePath is a path that exists on somebody's machine only.
func machinePath() *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s"'` + "`" + `(=:])/(work|tmp|root|home|Users|private|var/folders)/`)
}

// Words finds paths of machines in the text files.
func Words(t *Tree) (found []Finding) {
	banned := machinePath()
	for _, name := range slices.Sorted(maps.Keys(t.Texts)) {
		for i, line := range bytes.Split(t.Texts[name], []byte("\n")) {
			if hit := banned.Find(line); hit != nil {
				found = append(found, Finding{Rule: "words", Place: name,
					Message: fmt.Sprintf("%s:%d: path of a machine: %s", name, i+1, bytes.TrimSpace(line))})
			}
		}
	}
	return found
}

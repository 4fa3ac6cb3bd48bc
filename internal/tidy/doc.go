// Package tidy keeps the house in order: rules on the source that a compiler
// does not check, each a function from the parsed tree to what breaks it. Its
// test applies them to the whole repository, so that a broken rule is a failed
// build. ARCHITECTURE.md says why the rules are what they are.
package tidy

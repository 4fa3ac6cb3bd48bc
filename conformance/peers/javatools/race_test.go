//go:build race

package javatools

const raceDetector = true

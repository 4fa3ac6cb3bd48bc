package javatools

import (
	"strings"
	"testing"
)

// TestClient runs Kafka's Java client: groups with each of its assignors, a crash, static
// members, and its Admin. What it logs, from warnings on, is compared too.
func TestClient(t *testing.T) {
	needJava(t)
	client := compile(t, "client-pom.xml", "Client")
	at := broker(t)
	title, answers, _ := strings.Cut(strings.TrimPrefix(client.run(t, at), "== "), "\n")
	check(t, "testdata/client.txt", "== "+title, commands(t, answers, at))
}

// Package peers tests Klamm with the real Go clients, and measures it beside
// kfake. It is a module of its own, so that no client becomes a dependency of
// whoever imports klamm/kafkatest.
package peers

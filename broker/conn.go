package broker

// conn is one connection of a client.
type conn struct{}

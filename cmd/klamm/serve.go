package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"klamm/broker"
)

// defaultListen is where Kafka listens.
const defaultListen = "127.0.0.1:9092"

// serveFlags are the flags of serve.
type serveFlags struct {
	listen, advertise string
	topics            []broker.Topic
	configs           map[string]string
	level             slog.Level
}

// set makes the flags that fill in f.
func (f *serveFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.StringVar(&f.listen, "listen", defaultListen, "listen at `HOST:PORT`; port 0 is any free one")
	fs.StringVar(&f.advertise, "advertise", "", "tell clients to come to `HOST:PORT`, instead of\nthe address that they reached the broker by")
	fs.Func("topic", "make a topic `NAME[:PARTITIONS]`; may be repeated", f.addTopic)
	fs.Func("config", "set a broker config `KEY=VALUE` by Kafka's name;\nmay be repeated", f.addConfig)
	fs.Func("log-level", "log from `LEVEL` on: debug, info (the default), warn, error", f.setLevel)
	return fs
}

func (f *serveFlags) addTopic(text string) error {
	name, count, found := strings.Cut(text, ":")
	topic := broker.Topic{Name: name}
	if found {
		n, err := strconv.ParseInt(count, 10, 32)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of partitions", count)
		}
		topic.Partitions = int32(n)
	}
	if name == "" {
		return errors.New("the topic has no name")
	}
	f.topics = append(f.topics, topic)
	return nil
}

func (f *serveFlags) addConfig(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return errors.New("want KEY=VALUE")
	}
	if f.configs == nil {
		f.configs = make(map[string]string)
	}
	f.configs[key] = value
	return nil
}

func (f *serveFlags) setLevel(text string) error {
	switch text {
	case "debug", "info", "warn", "error":
		return f.level.UnmarshalText([]byte(text))
	}
	return errors.New("want debug, info, warn or error")
}

// check looks at what the flags cannot check one by one.
func (f *serveFlags) check() error {
	if _, port, err := net.SplitHostPort(f.listen); err != nil || !isPort(port) {
		return usagef("invalid value %q for flag -listen: want HOST:PORT", f.listen)
	}
	if f.advertise == "" {
		return nil
	}
	if host, port, err := net.SplitHostPort(f.advertise); err != nil || host == "" || !isPort(port) || port == "0" {
		return usagef("invalid value %q for flag -advertise: want HOST:PORT", f.advertise)
	}
	return nil
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// serveCommand runs a broker until a signal ends it.
func serveCommand(args []string, stdout, stderr io.Writer) error {
	var f serveFlags
	if wantsHelp, err := parse(f.set(), args); err != nil {
		return err
	} else if wantsHelp {
		return help(stdout)
	}
	if err := f.check(); err != nil {
		return err
	}
	// From here on a signal is a wish to end, and a second one has no patience left.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: f.level}))
	cluster, err := broker.Start(broker.Config{
		Listen:    f.listen,
		Advertise: f.advertise,
		Configs:   f.configs,
		Topics:    f.topics,
		Logger:    log,
	})
	if err != nil {
		return startError(err)
	}
	defer cluster.Close()
	log.Info("listening", "address", cluster.Addr())
	if _, err := fmt.Fprintf(stdout, "klamm ready %s\n", reachable(cluster.Addr())); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	<-ctx.Done()
	stop()
	log.Info("ending")
	return cluster.Close()
}

// startError tells mistakes of the command line, such as a config that Kafka does
// not have, from what the machine refuses, such as a port in use.
func startError(err error) error {
	var refused *net.OpError
	if errors.As(err, &refused) {
		return err
	}
	return usagef("%v", err.Error())
}

// reachable is the address to give to a client on this machine: a broker that
// listens everywhere listens on the loopback address too.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// oneLine keeps a message, whatever it is made of, on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

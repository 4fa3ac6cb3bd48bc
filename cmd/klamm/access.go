package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"klamm/conformance"
)

// passwordVariable is where the password of --sasl is looked for when the flag has none.
const passwordVariable = "KLAMM_SASL_PASSWORD"

// accessFlags say how the brokers let conformance in.
type accessFlags struct {
	sasl, authority string
	tls             bool
}

func (f *accessFlags) set(fs *flag.FlagSet) {
	fs.StringVar(&f.sasl, "sasl", "", "log in as `MECHANISM:USER[:PASSWORD]`; the mechanism is PLAIN,\nSCRAM-SHA-256 or SCRAM-SHA-512; without a password it is taken\nfrom the environment, "+passwordVariable)
	fs.BoolVar(&f.tls, "tls", false, "speak TLS")
	fs.StringVar(&f.authority, "tls-ca", "", "speak TLS, and trust only the certificates in `FILE` (PEM)")
}

// target is the broker at addr, as the flags reach it.
func (f *accessFlags) target(addr string) (conformance.Target, error) {
	login, err := f.login()
	if err != nil {
		return conformance.Target{}, err
	}
	target := conformance.Target{Addr: addr, Login: login}
	if f.tls || f.authority != "" {
		target.TLS = &tls.Config{}
	}
	if f.authority != "" {
		text, err := os.ReadFile(f.authority)
		if err != nil {
			return target, notRun(err)
		}
		target.TLS.RootCAs = x509.NewCertPool()
		if !target.TLS.RootCAs.AppendCertsFromPEM(text) {
			return target, notRun(fmt.Errorf("%s: no certificate in it", f.authority))
		}
	}
	return target, nil
}

// login is what --sasl says. Its errors do not repeat the flag, which may hold a password.
func (f *accessFlags) login() (*conformance.Login, error) {
	if f.sasl == "" {
		return nil, nil
	}
	mechanism, rest, _ := strings.Cut(f.sasl, ":")
	user, password, given := strings.Cut(rest, ":")
	if !slices.Contains(conformance.Mechanisms(), mechanism) {
		return nil, usagef("--sasl names no mechanism of %s", strings.Join(conformance.Mechanisms(), ", "))
	}
	if user == "" {
		return nil, usagef("--sasl names no user: want MECHANISM:USER or MECHANISM:USER:PASSWORD")
	}
	if !given {
		if password = os.Getenv(passwordVariable); password == "" {
			return nil, usagef("--sasl needs a password: MECHANISM:USER:PASSWORD, or %s in the environment", passwordVariable)
		}
	}
	return &conformance.Login{Mechanism: mechanism, User: user, Password: password}, nil
}

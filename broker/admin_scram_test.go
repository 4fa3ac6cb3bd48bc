package broker

import (
	"encoding/base64"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestScramCredential holds what is kept of a password against the example of RFC 7677:
// the keys of the password "pencil".
func TestScramCredential(t *testing.T) {
	decode := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cn := testBroker(t, nil)
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	u.Name, u.Mechanism, u.Iterations = "user", 1, 4096
	u.Salt = decode("W22ZaJ0SNY7soEsUEjb6gQ==")
	u.SaltedPassword = decode("xKSVEDI6tPlSysH6mUQZOeeOp01r6B3fcJbodRPcYV0=")
	req.Upsertions = append(req.Upsertions, u)
	ask(t, cn, req, 0)
	kept := cn.cluster.scram["user"][1]
	if kept == nil {
		t.Fatal("the credential is not kept")
	}
	for _, c := range []struct {
		what, want string
		got        []byte
	}{
		{"stored key", "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", kept.storedKey},
		{"server key", "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", kept.serverKey},
		{"salt", "W22ZaJ0SNY7soEsUEjb6gQ==", kept.salt},
	} {
		if got := base64.StdEncoding.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s, want %s", c.what, got, c.want)
		}
	}
	if kept.iterations != 4096 {
		t.Errorf("%d iterations", kept.iterations)
	}
}

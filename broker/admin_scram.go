package broker

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// Bounds of a SCRAM credential (ScramMechanism, ScramControlManager).
const (
	minScramIterations = 4096
	maxScramIterations = 16384
)

// scramHash is the hash of a SCRAM mechanism (org.apache.kafka.clients.admin.ScramMechanism);
// nil: there is no such mechanism.
func scramHash(mechanism int8) func() hash.Hash {
	switch mechanism {
	case 1: // SCRAM-SHA-256
		return sha256.New
	case 2: // SCRAM-SHA-512
		return sha512.New
	}
	return nil
}

// scramCredential is what the broker keeps of a password (RFC 5802).
type scramCredential struct {
	salt, storedKey, serverKey []byte
	iterations                 int32
}

// alterUserSCRAMCredentials answers AlterUserScramCredentials v0 (KIP-554,
// ScramControlManager): a user can be changed once in a request.
func (c *Cluster) alterUserSCRAMCredentials(call *call, req *kmsg.AlterUserSCRAMCredentialsRequest, resp *kmsg.AlterUserSCRAMCredentialsResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	deleted := make(map[string]int8)
	upserted := make(map[string]scramUpsertion)
	refused := make(map[string]apiError)
	twice := apiError{protocol.DuplicateResource, "A user credential cannot be altered twice in the same request"}
	times := make(map[string]int)
	for _, d := range req.Deletions {
		switch times[d.Name]++; {
		case refused[d.Name].code != protocol.None:
		case times[d.Name] > 1:
			refused[d.Name] = twice
		default:
			refused[d.Name] = c.checkScramDeletion(d.Name, d.Mechanism)
			deleted[d.Name] = d.Mechanism
		}
	}
	for i := range req.Upsertions {
		u := &req.Upsertions[i]
		switch times[u.Name]++; {
		case refused[u.Name].code != protocol.None:
		case times[u.Name] > 1:
			refused[u.Name] = twice
		default:
			refused[u.Name] = checkScramUpsertion(u)
			upserted[u.Name] = scramUpsertion{u.Mechanism, u}
		}
	}
	answer := func(user string) {
		r := kmsg.NewAlterUserSCRAMCredentialsResponseResult()
		r.User, r.ErrorCode, r.ErrorMessage = user, int16(refused[user].code), refused[user].pointer()
		resp.Results = append(resp.Results, r)
	}
	for _, user := range inJavaOrder(deleted) {
		if refused[user].code == protocol.None {
			c.setScram(user, deleted[user], nil)
			answer(user)
		}
	}
	for _, user := range inJavaOrder(upserted) {
		switch {
		case refused[user].code != protocol.None:
		case len(upserted[user].asked.SaltedPassword) == 0: // Java has no empty keys
			refused[user] = apiError{protocol.UnknownServerError, noMessage}
		default:
			c.setScram(user, upserted[user].mechanism, upserted[user].credential())
			answer(user)
		}
	}
	for _, user := range inJavaOrder(refused) {
		if refused[user].code != protocol.None {
			answer(user)
		}
	}
}

type scramUpsertion struct {
	mechanism int8
	asked     *kmsg.AlterUserSCRAMCredentialsRequestUpsertion
}

// credential is what is kept: the password cannot be told from it.
func (u scramUpsertion) credential() *scramCredential {
	newHash := scramHash(u.mechanism)
	sum := func(text string) []byte {
		mac := hmac.New(newHash, u.asked.SaltedPassword)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := newHash()
	stored.Write(sum("Client Key"))
	return &scramCredential{
		salt: append([]byte(nil), u.asked.Salt...), storedKey: stored.Sum(nil), serverKey: sum("Server Key"),
		iterations: u.asked.Iterations,
	}
}

// setScram keeps a credential, or with nil forgets it. The caller holds c.mu.
func (c *Cluster) setScram(user string, mechanism int8, credential *scramCredential) {
	credentials := cloneMap(c.scram[user])
	if credential == nil {
		delete(credentials, mechanism)
	} else {
		credentials[mechanism] = credential
	}
	if c.scram == nil {
		c.scram = make(map[string]map[int8]*scramCredential)
	}
	c.scram[user] = credentials
	if len(credentials) == 0 {
		delete(c.scram, user)
	}
}

func checkScram(user string, mechanism int8) apiError {
	switch {
	case user == "":
		return apiError{protocol.UnacceptableCredential, "Username must not be empty"}
	case scramHash(mechanism) == nil:
		return apiError{protocol.UnsupportedSaslMechanism, "Unknown SCRAM mechanism"}
	}
	return apiError{}
}

func (c *Cluster) checkScramDeletion(user string, mechanism int8) apiError {
	refused := checkScram(user, mechanism)
	if refused.code == protocol.None && c.scram[user][mechanism] == nil {
		return apiError{protocol.ResourceNotFound, "Attempt to delete a user credential that does not exist"}
	}
	return refused
}

func checkScramUpsertion(u *kmsg.AlterUserSCRAMCredentialsRequestUpsertion) apiError {
	refused := checkScram(u.Name, u.Mechanism)
	switch {
	case refused.code != protocol.None:
		return refused
	case u.Iterations < minScramIterations:
		return apiError{protocol.UnacceptableCredential, "Too few iterations"}
	case u.Iterations > maxScramIterations:
		return apiError{protocol.UnacceptableCredential, "Too many iterations"}
	}
	return apiError{}
}

// describeUserSCRAMCredentials answers DescribeUserScramCredentials v0 (ScramImage.describe):
// of the users named, each once, or of all.
func (c *Cluster) describeUserSCRAMCredentials(call *call, req *kmsg.DescribeUserSCRAMCredentialsRequest, resp *kmsg.DescribeUserSCRAMCredentialsResponse) {
	empty := ""
	resp.ErrorMessage = &empty
	c.mu.Lock()
	defer c.mu.Unlock()
	times := make(map[string]int, len(req.Users))
	for i := range req.Users {
		times[req.Users[i].Name]++
	}
	if len(req.Users) == 0 {
		for user := range c.scram {
			times[user] = 1
		}
	}
	for _, user := range inJavaOrder(times) {
		r := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
		r.User, r.ErrorMessage = user, &empty
		refused := apiError{}
		switch credentials := c.scram[user]; {
		case times[user] > 1:
			refused = apiError{protocol.DuplicateResource,
				"Cannot describe SCRAM credentials for the same user twice in a single request: " + user}
		case credentials == nil:
			refused = apiError{protocol.ResourceNotFound, "Attempt to describe a user credential that does not exist: " + user}
		default:
			for _, mechanism := range [...]int8{1, 2} {
				if k := credentials[mechanism]; k != nil {
					info := kmsg.NewDescribeUserSCRAMCredentialsResponseResultCredentialInfo()
					info.Mechanism, info.Iterations = mechanism, k.iterations
					r.CredentialInfos = append(r.CredentialInfos, info)
				}
			}
		}
		if refused.code != protocol.None {
			r.ErrorCode, r.ErrorMessage = int16(refused.code), refused.pointer()
		}
		resp.Results = append(resp.Results, r)
	}
}

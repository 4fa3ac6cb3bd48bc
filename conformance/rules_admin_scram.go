package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The SCRAM mechanisms by their numbers.
const (
	scramSHA256 = 1
	scramSHA512 = 2
)

func scramRules() []Rule {
	const source = "KIP-554, ScramControlManager"
	return []Rule{
		must("scram.upsert", "A credential is made, described without its secret, changed and deleted.", "KIP-554", func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			a.Send(describeScram(user)).Answer()
			a.Send(upsertScram(user, scramSHA256, 4096)).Answer()
			scramIs(c, user, 1)
			a.Send(describeScram(user)).Answer()
			a.Send(upsertScram(user, scramSHA512, 8192)).Answer()
			scramIs(c, user, 2)
			a.Send(describeScram(user)).Answer()
			a.Send(deleteScram(user, scramSHA256)).Answer()
			scramIs(c, user, 1)
			a.Send(describeScram(user)).Answer()
			a.Send(deleteScram(user, scramSHA512)).Answer()
			scramIs(c, user, 0)
			a.Send(describeScram(user)).Answer()
		}),
		must("scram.iterations", "Fewer than 4096 and more than 16384 iterations are refused.", source, func(c *Conversation) {
			user := c.Name("alice")
			for _, n := range []int32{4095, 16385, 0, -1} {
				c.Conn("a").Send(upsertScram(user, scramSHA256, n)).Answer()
				c.Conn("a").Send(upsertScram(user, scramSHA512, n)).Answer()
			}
			c.Conn("a").Send(describeScram(user)).Answer()
		}),
		must("scram.iterations-in-bounds", "4096 and 16384 iterations are accepted.", source, func(c *Conversation) {
			user := c.Name("alice")
			for _, n := range []int32{4096, 16384} {
				c.Conn("a").Send(upsertScram(user, scramSHA512, n)).Answer()
			}
			scramIs(c, user, 1)
			ask[*kmsg.AlterUserSCRAMCredentialsResponse](c.setup, deleteScram(user, scramSHA512))
		}),
		must("scram.refused", "Mechanisms that do not exist, a user without a name and an empty password are refused.", source, func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			for _, mechanism := range []int8{0, 3, -1} {
				a.Send(upsertScram(user, mechanism, 4096)).Answer()
				a.Send(deleteScram(user, mechanism)).Answer()
			}
			a.Send(upsertScram("", scramSHA256, 4096)).Answer()
			a.Send(upsertScram("", 7, 1)).Answer()
			a.Send(deleteScram("", scramSHA256)).Answer()
			req := upsertScram(user, scramSHA256, 4096)
			req.Upsertions[0].SaltedPassword = nil
			a.Send(req).Answer()
		}),
		must("scram.delete-unknown", "Deleting what does not exist is RESOURCE_NOT_FOUND, of this mechanism or any.", source, func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			a.Send(deleteScram(user, scramSHA256)).Answer()
			ask[*kmsg.AlterUserSCRAMCredentialsResponse](c.setup, upsertScram(user, scramSHA512, 4096))
			a.Send(deleteScram(user, scramSHA256)).Answer()
			ask[*kmsg.AlterUserSCRAMCredentialsResponse](c.setup, deleteScram(user, scramSHA512))
		}),
		must("scram.alter-twice", "A user altered twice in a request is DUPLICATE_RESOURCE and stays as it was; the others are altered.", source, twiceAltered),
		must("scram.describe-twice", "A user described twice in a request is DUPLICATE_RESOURCE.", "ScramImage.describe", func(c *Conversation) {
			user, other := c.Name("alice"), c.Name("bob")
			c.Conn("a").Send(describeScram(user, other, user, other, user, c.Name("carol"))).Answer()
			c.Conn("a").Send(describeScram("")).Answer()
		}),
		must("scram.nothing", "Nothing to alter is answered with nothing.", source, func(c *Conversation) {
			c.Conn("a").Send(kmsg.NewPtrAlterUserSCRAMCredentialsRequest()).Answer()
		}),
	}
}

func describeScram(users ...string) *kmsg.DescribeUserSCRAMCredentialsRequest {
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	for _, user := range users {
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = user
		req.Users = append(req.Users, u)
	}
	return req
}

func upsertScram(user string, mechanism int8, iterations int32) *kmsg.AlterUserSCRAMCredentialsRequest {
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	u.Name, u.Mechanism, u.Iterations = user, mechanism, iterations
	u.Salt, u.SaltedPassword = []byte("salt"), []byte("a salted password of any length")
	req.Upsertions = append(req.Upsertions, u)
	return req
}

func deleteScram(user string, mechanism int8) *kmsg.AlterUserSCRAMCredentialsRequest {
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	d := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
	d.Name, d.Mechanism = user, mechanism
	req.Deletions = append(req.Deletions, d)
	return req
}

// scramIs waits, outside the transcript, until a user has so many credentials.
func scramIs(c *Conversation, user string, credentials int) {
	until(c, describeScram(user), func(r *kmsg.DescribeUserSCRAMCredentialsResponse) bool {
		return len(r.Results) == 1 && len(r.Results[0].CredentialInfos) == credentials
	})
}

func twiceAltered(c *Conversation) {
	user, other, a := c.Name("alice"), c.Name("bob"), c.Conn("a")
	req := upsertScram(user, scramSHA256, 4096)
	req.Upsertions = append(req.Upsertions, upsertScram(user, scramSHA512, 4096).Upsertions[0], upsertScram(other, scramSHA256, 4096).Upsertions[0])
	a.Send(req).Answer()
	scramIs(c, other, 1)
	a.Send(describeScram(user, other)).Answer()
	req = deleteScram(other, scramSHA256)
	req.Upsertions = upsertScram(other, scramSHA256, 5000).Upsertions
	a.Send(req).Answer()
	req = deleteScram(other, scramSHA256)
	req.Deletions = append(req.Deletions, deleteScram(other, scramSHA512).Deletions[0], deleteScram(other, scramSHA256).Deletions[0])
	a.Send(req).Answer()
	a.Send(describeScram(other)).Answer()
	ask[*kmsg.AlterUserSCRAMCredentialsResponse](c.setup, deleteScram(other, scramSHA256))
}

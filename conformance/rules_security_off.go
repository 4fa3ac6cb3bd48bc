package conformance

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// unsecured is the profile of a broker that neither authenticates nor authorizes anybody.
const unsecured = "no-authorizer"

// unsecuredRules say what a broker without security answers to those who ask for it.
func unsecuredRules() []Rule {
	rules := slices.Concat(aclRules(), tokenRules(), saslRules())
	for i := range rules {
		rules[i].Profile = unsecured
	}
	return rules
}

func aclRules() []Rule {
	return []Rule{
		must("acls.describe", "Without an authorizer there are no ACLs to describe: SECURITY_DISABLED.", "AclApis", func(c *Conversation) {
			for v := int16(1); v <= 3; v++ {
				c.Conn("a").Send(describeACLs(v, nil)).Answer()
			}
			name := c.Name("orders")
			c.Conn("a").Send(describeACLs(3, &name)).Answer()
		}),
		must("acls.create", "Without an authorizer no ACL is made, and each that is asked for is answered with SECURITY_DISABLED.", "AclApis", func(c *Conversation) {
			a := c.Conn("a")
			a.Send(createACLs(1, c.Name("orders"))).Answer()
			a.Send(createACLs(2, c.Name("orders"), c.Name("other"))).Answer()
			a.Send(createACLs(3)).Answer()
			a.Send(createACLs(3, "")).Answer()
		}),
		must("acls.delete", "Without an authorizer no ACL is deleted, and each filter is answered with SECURITY_DISABLED.", "AclApis", func(c *Conversation) {
			a := c.Conn("a")
			a.Send(deleteACLs(1, c.Name("orders"))).Answer()
			a.Send(deleteACLs(2, c.Name("orders"), c.Name("other"))).Answer()
			a.Send(deleteACLs(3)).Answer()
		}),
		must("acls.unknown", "UNKNOWN for a resource type, pattern, operation or permission ends the connection; numbers that have no meaning do not.", "CreateAclsRequest.validate, DescribeAclsRequest.normalizeAndValidate", unknownACLs),
	}
}

func tokenRules() []Rule {
	return []Rule{
		must("tokens.create", "A client that is not authenticated gets no delegation token.", "KafkaApis.handleCreateTokenRequest", func(c *Conversation) {
			for v := int16(1); v <= 3; v++ {
				req := kmsg.NewPtrCreateDelegationTokenRequest()
				req.Version, req.MaxLifetimeMillis = v, 1000
				if v == 2 {
					renewer := kmsg.NewCreateDelegationTokenRequestRenewer()
					renewer.PrincipalType, renewer.PrincipalName = "User", "alice"
					req.Renewers = append(req.Renewers, renewer)
				}
				if v == 3 {
					kind, name := "User", "bob"
					req.OwnerPrincipalType, req.OwnerPrincipalName = &kind, &name
				}
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("tokens.renew", "A client that is not authenticated renews and expires no delegation token.", "KafkaApis.handleRenewTokenRequest", func(c *Conversation) {
			for v := int16(1); v <= 2; v++ {
				renew := kmsg.NewPtrRenewDelegationTokenRequest()
				renew.Version, renew.HMAC, renew.RenewTimeMillis = v, []byte("hmac"), 1000
				c.Conn("a").Send(renew).Answer()
				expire := kmsg.NewPtrExpireDelegationTokenRequest()
				expire.Version, expire.HMAC, expire.ExpiryPeriodMillis = v, []byte("hmac"), -1
				c.Conn("a").Send(expire).Answer()
			}
		}),
		must("tokens.describe", "A client that is not authenticated sees no delegation token.", "KafkaApis.handleDescribeTokensRequest", func(c *Conversation) {
			for v := int16(1); v <= 3; v++ {
				req := kmsg.NewPtrDescribeDelegationTokenRequest()
				req.Version = v
				c.Conn("a").Send(req).Answer()
				req.Owners = []kmsg.DescribeDelegationTokenRequestOwner{{PrincipalType: "User", PrincipalName: "alice"}}
				c.Conn("a").Send(req).Answer()
			}
		}),
	}
}

func saslRules() []Rule {
	return []Rule{
		must("sasl.handshake", "A listener without SASL answers a handshake with ILLEGAL_SASL_STATE, and serves on.", "KafkaApis.handleSaslHandshakeRequest", func(c *Conversation) {
			a := c.Conn("a")
			for v := int16(0); v <= 1; v++ {
				for _, mechanism := range []string{"PLAIN", "NONE", ""} {
					req := kmsg.NewPtrSASLHandshakeRequest()
					req.Version, req.Mechanism = v, mechanism
					a.Send(req).Answer()
				}
			}
			ask[*kmsg.MetadataResponse](a, metadata(9))
		}),
		must("sasl.authenticate", "A listener without SASL answers an attempt to authenticate with ILLEGAL_SASL_STATE, and serves on.", "KafkaApis.handleSaslAuthenticateRequest", func(c *Conversation) {
			a := c.Conn("a")
			for v := int16(0); v <= 2; v++ {
				req := kmsg.NewPtrSASLAuthenticateRequest()
				req.Version, req.SASLAuthBytes = v, []byte("\x00alice\x00secret")
				a.Send(req).Answer()
			}
			ask[*kmsg.MetadataResponse](a, metadata(9))
		}),
	}
}

// describeACLs asks for all ACLs, or for those of a topic.
func describeACLs(version int16, topic *string) *kmsg.DescribeACLsRequest {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.Version = version
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	if topic != nil {
		req.ResourceType, req.ResourceName = kmsg.ACLResourceTypeTopic, topic
	}
	req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	return req
}

// createACLs allows alice to read topics.
func createACLs(version int16, topics ...string) *kmsg.CreateACLsRequest {
	req := kmsg.NewPtrCreateACLsRequest()
	req.Version = version
	for _, topic := range topics {
		acl := kmsg.NewCreateACLsRequestCreation()
		acl.ResourceType, acl.ResourceName, acl.ResourcePatternType = kmsg.ACLResourceTypeTopic, topic, kmsg.ACLResourcePatternTypeLiteral
		acl.Principal, acl.Host = "User:alice", "*"
		acl.Operation, acl.PermissionType = kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, acl)
	}
	return req
}

// deleteACLs deletes all ACLs of topics.
func deleteACLs(version int16, topics ...string) *kmsg.DeleteACLsRequest {
	req := kmsg.NewPtrDeleteACLsRequest()
	req.Version = version
	for _, topic := range topics {
		filter := kmsg.NewDeleteACLsRequestFilter()
		filter.ResourceType, filter.ResourceName, filter.ResourcePatternType = kmsg.ACLResourceTypeTopic, &topic, kmsg.ACLResourcePatternTypeAny
		filter.Operation, filter.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
		req.Filters = append(req.Filters, filter)
	}
	return req
}

func unknownACLs(c *Conversation) {
	a, topic := c.Conn("a"), c.Name("orders")
	for _, value := range []int8{0, 99} {
		for _, field := range []string{"resource", "pattern", "operation", "permission"} {
			create, describe, remove := createACLs(3, topic), describeACLs(3, nil), deleteACLs(3, topic)
			acl, filter := &create.Creations[0], &remove.Filters[0]
			switch field {
			case "resource":
				t := kmsg.ACLResourceType(value)
				acl.ResourceType, describe.ResourceType, filter.ResourceType = t, t, t
			case "pattern":
				t := kmsg.ACLResourcePatternType(value)
				acl.ResourcePatternType, describe.ResourcePatternType, filter.ResourcePatternType = t, t, t
			case "operation":
				op := kmsg.ACLOperation(value)
				acl.Operation, describe.Operation, filter.Operation = op, op, op
			case "permission":
				t := kmsg.ACLPermissionType(value)
				acl.PermissionType, describe.PermissionType, filter.PermissionType = t, t, t
			}
			for _, req := range []kmsg.Request{create, describe, remove} {
				a.Send(req).Answer()
			}
		}
	}
}

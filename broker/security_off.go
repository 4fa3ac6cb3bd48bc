package broker

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// What is answered to those who ask for security, of which there is none: no authorizer,
// and nobody is authenticated.

// anonymous is the principal of everybody (KafkaPrincipal.ANONYMOUS).
const (
	anonymousType = "User"
	anonymousName = "ANONYMOUS"
)

// noAuthorizer is what AclApis answers without authorizer.class.name.
func noAuthorizer() apiError {
	return apiError{protocol.SecurityDisabled, "No Authorizer is configured."}
}

// errUnknownACL ends a connection that speaks of ACLs with UNKNOWN elements, which Kafka's
// requests cannot hold.
var errUnknownACL = errors.New("the request is of ACLs with an UNKNOWN resource type, pattern, operation or permission")

// unknownACL tells whether an element is UNKNOWN, the number 0. Other numbers without a
// meaning pass.
func unknownACL(resource kmsg.ACLResourceType, pattern kmsg.ACLResourcePatternType, operation kmsg.ACLOperation, permission kmsg.ACLPermissionType) bool {
	return resource == 0 || pattern == 0 || operation == 0 || permission == 0
}

// describeACLs answers DescribeAcls v1-3.
func (c *Cluster) describeACLs(call *call, req *kmsg.DescribeACLsRequest, resp *kmsg.DescribeACLsResponse) {
	if unknownACL(req.ResourceType, req.ResourcePatternType, req.Operation, req.PermissionType) {
		call.hangUp = errUnknownACL
		return
	}
	message := "No Authorizer is configured on the broker"
	resp.ErrorCode, resp.ErrorMessage = int16(protocol.SecurityDisabled), &message
}

// createACLs answers CreateAcls v1-3.
func (c *Cluster) createACLs(call *call, req *kmsg.CreateACLsRequest, resp *kmsg.CreateACLsResponse) {
	refused := noAuthorizer()
	for _, acl := range req.Creations {
		if unknownACL(acl.ResourceType, acl.ResourcePatternType, acl.Operation, acl.PermissionType) {
			call.hangUp = errUnknownACL
			return
		}
		result := kmsg.NewCreateACLsResponseResult()
		result.ErrorCode, result.ErrorMessage = int16(refused.code), refused.pointer()
		resp.Results = append(resp.Results, result)
	}
}

// deleteACLs answers DeleteAcls v1-3.
func (c *Cluster) deleteACLs(call *call, req *kmsg.DeleteACLsRequest, resp *kmsg.DeleteACLsResponse) {
	refused := noAuthorizer()
	for _, filter := range req.Filters {
		if unknownACL(filter.ResourceType, filter.ResourcePatternType, filter.Operation, filter.PermissionType) {
			call.hangUp = errUnknownACL
			return
		}
		result := kmsg.NewDeleteACLsResponseResult()
		result.ErrorCode, result.ErrorMessage = int16(refused.code), refused.pointer()
		resp.Results = append(resp.Results, result)
	}
}

// createDelegationToken answers CreateDelegationToken v1-3: tokens are for those who are
// authenticated.
func (c *Cluster) createDelegationToken(call *call, req *kmsg.CreateDelegationTokenRequest, resp *kmsg.CreateDelegationTokenResponse) {
	resp.ErrorCode = int16(protocol.DelegationTokenRequestNotAllowed)
	resp.PrincipalType, resp.PrincipalName = anonymousType, anonymousName
	if req.OwnerPrincipalName != nil && *req.OwnerPrincipalName != "" {
		resp.PrincipalName = *req.OwnerPrincipalName
		if req.OwnerPrincipalType != nil {
			resp.PrincipalType = *req.OwnerPrincipalType
		}
	}
	resp.TokenRequesterPrincipalType, resp.TokenRequesterPrincipalName = anonymousType, anonymousName
	resp.IssueTimestamp, resp.ExpiryTimestamp, resp.MaxTimestamp = -1, -1, -1
}

// renewDelegationToken answers RenewDelegationToken v1-2.
func (c *Cluster) renewDelegationToken(call *call, req *kmsg.RenewDelegationTokenRequest, resp *kmsg.RenewDelegationTokenResponse) {
	resp.ErrorCode, resp.ExpiryTimestamp = int16(protocol.DelegationTokenRequestNotAllowed), -1
}

// expireDelegationToken answers ExpireDelegationToken v1-2.
func (c *Cluster) expireDelegationToken(call *call, req *kmsg.ExpireDelegationTokenRequest, resp *kmsg.ExpireDelegationTokenResponse) {
	resp.ErrorCode, resp.ExpiryTimestamp = int16(protocol.DelegationTokenRequestNotAllowed), -1
}

// describeDelegationToken answers DescribeDelegationToken v1-3.
func (c *Cluster) describeDelegationToken(call *call, req *kmsg.DescribeDelegationTokenRequest, resp *kmsg.DescribeDelegationTokenResponse) {
	resp.ErrorCode = int16(protocol.DelegationTokenRequestNotAllowed)
}

// saslHandshake answers SaslHandshake v0-1 on a listener without SASL.
func (c *Cluster) saslHandshake(call *call, req *kmsg.SASLHandshakeRequest, resp *kmsg.SASLHandshakeResponse) {
	resp.ErrorCode = int16(protocol.IllegalSaslState)
}

// saslAuthenticate answers SaslAuthenticate v0-2 on a listener without SASL.
func (c *Cluster) saslAuthenticate(call *call, req *kmsg.SASLAuthenticateRequest, resp *kmsg.SASLAuthenticateResponse) {
	message := "SaslAuthenticate request received after successful authentication"
	resp.ErrorCode, resp.ErrorMessage = int16(protocol.IllegalSaslState), &message
}

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// client is one connection that has one request on its way at a time.
type client struct {
	nc net.Conn
	r  *bufio.Reader
}

func dial(addr string) (*client, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{nc: nc, r: bufio.NewReader(nc)}, nil
}

func (c *client) close() { c.nc.Close() }

// ask sends req and returns the answer.
func (c *client) ask(req kmsg.Request, version int16) (kmsg.Response, error) {
	req.SetVersion(version)
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("configgen"))
	if _, err := c.nc.Write(f.AppendRequest(nil, req, 1)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c.r, body); err != nil {
		return nil, err
	}
	body = body[4:] // correlation id
	if req.IsFlexible() {
		body = body[1:] // no tags in the header
	}
	resp := req.ResponseKind()
	return resp, resp.ReadFrom(body)
}

func (c *client) createTopic(name string) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, 1, 1
	req.Topics = append(req.Topics, t)
	_, err := c.ask(req, 5)
	return err
}

func (c *client) deleteTopic(name string) error {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TopicNames = []string{name}
	_, err := c.ask(req, 5)
	return err
}

func (c *client) describe(kind kmsg.ConfigResourceType, name string) ([]kmsg.DescribeConfigsResponseResourceConfig, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	req.Resources = append(req.Resources, r)
	req.IncludeSynonyms, req.IncludeDocumentation = true, true
	resp, err := c.ask(req, 4)
	if err != nil {
		return nil, err
	}
	got := resp.(*kmsg.DescribeConfigsResponse).Resources[0]
	if got.ErrorCode != 0 {
		return nil, fmt.Errorf("describe %v %s: error code %d", kind, name, got.ErrorCode)
	}
	return got.Configs, nil
}

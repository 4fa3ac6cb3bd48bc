// Package protocol is the Kafka wire protocol as far as a broker and a
// conformance suite share it: frames and headers, the releases of Kafka with
// their API versions and features, error codes, UUIDs, the bounded check of
// request bodies, record batches and their codecs. The message bodies themselves
// are kmsg's. It is pure: values in, values out.
package protocol

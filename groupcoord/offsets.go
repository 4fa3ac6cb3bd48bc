package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsets are the committed offsets of a group.
type offsets struct{}

func (g *Group) commitOffsets(now time.Time, e OffsetCommit) []Effect  { return nil }
func (g *Group) deleteOffsets(now time.Time, e OffsetDelete) []Effect  { return nil }
func (g *Group) deleteGroup(now time.Time, e DeleteGroup) []Effect     { return nil }
func (g *Group) topicsDeleted(now time.Time, e TopicsDeleted) []Effect { return nil }
func (g *Group) expireOffsets(now time.Time) []Effect                  { return nil }
func (g *Group) offsetsDeadline() time.Time                            { return time.Time{} }

// FetchOffsets answers one group of an OffsetFetch request: the topics asked for
// (names filled in), or all when req.Topics is nil.
func (g *Group) FetchOffsets(now time.Time, req kmsg.OffsetFetchRequestGroup) kmsg.OffsetFetchResponseGroup {
	return kmsg.NewOffsetFetchResponseGroup()
}

package groupcoord

// Apply is the only writer of hard state: called for each appended record, and
// again, in order, on reload.
func (g *Group) Apply(r Record) {}

// Vacant tells that the group has neither members nor offsets nor a record in
// __consumer_offsets: the owner may forget it, as if it had never been.
func (g *Group) Vacant() bool { return true }

// metadataRecord is the group's membership as Kafka stores it.
func (g *Group) metadataRecord() Record { return Record{} }

// metadataTombstone takes the group's metadata back.
func (g *Group) metadataTombstone() Record { return Record{} }

package partitions

import (
	"klamm/protocol"
)

// Records decodes up to limit records from offset on, for tests and inspection.
// Control batches are left out, as consumers leave them out. Records of
// uncompressed batches alias the log. An offset outside of the log gives none.
func (p *Partition) Records(offset int64, limit int) []protocol.Record {
	var d protocol.Decompressor
	var records []protocol.Record
	if offset < p.start || offset >= p.end {
		return nil
	}
	for i := p.log.chunkOf(offset); i < len(p.log.chunks) && len(records) < limit; i++ {
		rest := p.log.chunks[i].buf
		if p.log.chunks[i].base <= offset {
			rest = rest[p.log.chunks[i].find(offset):]
		}
		for len(rest) > 0 && len(records) < limit {
			batch := rest[:batchSize(rest)]
			rest = rest[len(batch):]
			if h, _ := protocol.ParseBatchHeader(batch); h.Control() {
				continue
			}
			decoded, _, err := protocol.DecodeBatch(nil, batch, &d)
			if err != nil {
				continue // what the broker accepts without looking, such as sizes in compressed batches
			}
			for _, r := range decoded {
				if r.Offset >= offset && len(records) < limit {
					records = append(records, r)
				}
			}
		}
	}
	return records
}

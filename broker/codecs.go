package broker

import (
	"sync"
	"time"

	"klamm/partitions"
	"klamm/protocol"
)

// codecs is what the partitions of a cluster share to read and write compressed batches.
type codecs struct {
	large   sync.Mutex // held while a batch larger than usual is decompressed
	writers sync.Pool  // of protocol.Compressor: large, and used by few
}

// usualPlain is how many bytes the records of most batches decompress to at most.
const usualPlain = 4 << 20

// validate checks the records of a Produce request, and writes them anew where the topic
// has a codec of its own.
func (p *partition) validate(batch *partitions.Batch, now time.Time, d *protocol.Decompressor, in *partitions.Produced) *partitions.Refusal {
	cfg := p.cfg.Load()
	if !cfg.Compression.Own {
		return p.validateBounded(batch, cfg, now, d, in)
	}
	in.Compressor, _ = p.codecs.writers.Get().(*protocol.Compressor)
	if in.Compressor == nil {
		in.Compressor = new(protocol.Compressor)
	}
	defer p.codecs.writers.Put(in.Compressor)
	return p.validateBounded(batch, cfg, now, d, in)
}

// validateBounded sees to it that of batches that decompress to more than usual only one is
// in memory at a time, whatever number of clients sends them: a small one can be 100 MiB.
func (p *partition) validateBounded(batch *partitions.Batch, cfg *partitions.Config, now time.Time, d *protocol.Decompressor, in *partitions.Produced) *partitions.Refusal {
	if d == nil {
		return batch.Validate(cfg, nil, now, in)
	}
	d.Limit, d.Exceeded = usualPlain, false
	if refused := batch.Validate(cfg, d, now, in); !d.Exceeded {
		return refused
	}
	p.codecs.large.Lock()
	defer p.codecs.large.Unlock()
	d.Limit = 0
	return batch.Validate(cfg, d, now, in)
}

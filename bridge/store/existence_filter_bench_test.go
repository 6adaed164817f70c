package store

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge/processor"
)

// BenchmarkUnseen looks up names that were never seen, as almost every callback does, in five parts of a million
// names: with the existence filter, and with the filters of Pebble's own tables alone.
func BenchmarkUnseen(b *testing.B) {
	const parts, names, lookups = 5, 1_000_000, 20_000
	d := create(b)
	defer d.close()
	s := d.Store
	fillNames(b, s, parts, names)
	for _, c := range []struct {
		name string
		with *existenceFilter
	}{{"filter", s.identities}, {"pebble", newExistenceFilter(tableIdentity)}} { // the second has not loaded anything
		b.Run(c.name, func(b *testing.B) {
			s.identities = c.with
			random := rand.New(rand.NewPCG(2, 2))
			for b.Loop() {
				for range lookups {
					lookUp(b, s, parts, randomName(random))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lookups), "ns/lookup")
		})
	}
}

// lookUp looks for a name in every part, where it must not be.
func lookUp(b *testing.B, s *Store, parts uint64, sum [16]byte) {
	for part := range parts {
		if _, found, err := s.Name(processor.Name{Part: part, Sum: sum}); found || err != nil {
			b.Fatal(found, err)
		}
	}
}

// fillNames writes random identities, as the commits of a day leave them.
func fillNames(b *testing.B, s *Store, parts uint64, names int) {
	random := rand.New(rand.NewPCG(1, 1))
	for part := range parts {
		batch := s.db.NewBatch()
		for n := range names {
			sum := randomName(random)
			s.identities.add(part, sum)
			if err := batch.Set(nameKey(nil, processor.Name{Part: part, Sum: sum}), nil, nil); err != nil {
				b.Fatal(err)
			}
			if n%1000 == 999 {
				if err := batch.Commit(pebble.NoSync); err != nil {
					b.Fatal(err)
				}
				batch = s.db.NewBatch()
			}
		}
	}
	none := make(map[uint64]*filter)
	s.identities.previousRun.Store(&none)
}

func randomName(random *rand.Rand) (name [16]byte) {
	binary.NativeEndian.PutUint64(name[:8], random.Uint64())
	binary.NativeEndian.PutUint64(name[8:], random.Uint64())
	return name
}

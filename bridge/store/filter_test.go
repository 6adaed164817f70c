package store

import (
	"crypto/rand"
	"testing"
)

func TestFilter(t *testing.T) {
	var f filter
	names := make([][16]byte, 50_000)
	for i := range names {
		if _, err := rand.Read(names[i][:]); err != nil {
			t.Fatal(err)
		}
		f.add(names[i])
	}
	wrong := 0
	for _, name := range names {
		if !f.mayContain(name) {
			t.Fatal("a name that was added is surely not in")
		}
		if _, err := rand.Read(name[:]); err != nil {
			t.Fatal(err)
		}
		if f.mayContain(name) {
			wrong++
		}
	}
	if share := float64(wrong) / float64(len(names)); share > 0.03 {
		t.Errorf("%.3f of the names that are not in may be in", share)
	}
}

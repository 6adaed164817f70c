package store

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// namesRowBytes is how large a row of names grows before another one is begun.
const namesRowBytes = 4096

// unfilled is the rows of names, one for each table and part, that the names of the next commits go to. It begins
// empty with a cache: a row that is not known is left as it is.
type unfilled map[[9]byte]*namesRow

// namesRow is a row as it was committed last; its value without the version.
type namesRow struct{ key, value []byte }

func unfilledKey(table byte, part uint64) (k [9]byte) {
	k[0] = table
	binary.BigEndian.PutUint64(k[1:], part)
	return k
}

// row returns the row of a part, which is not to be changed; nil: there is none.
func (u unfilled) row(table byte, part uint64) (key, value []byte) {
	if r := u[unfilledKey(table, part)]; r != nil {
		return r.key, r.value
	}
	return nil, nil
}

// applied notes that a row was committed, and returns what is new in it.
func (u unfilled) applied(key, value []byte) (added []byte) {
	k, added := [9]byte(key), value
	r := u[k]
	if r != nil && bytes.Equal(r.key, key) && bytes.HasPrefix(value, r.value) {
		added = value[len(r.value):]
	}
	if len(value) >= namesRowBytes {
		delete(u, k)
	} else {
		u[k] = &namesRow{slices.Clone(key), slices.Clone(value)}
	}
	return added
}

// removed notes that a row was removed.
func (u unfilled) removed(key []byte) {
	k := [9]byte(key)
	if r := u[k]; r != nil && bytes.Equal(r.key, key) {
		delete(u, k)
	}
}

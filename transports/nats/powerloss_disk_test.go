package nats

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// powerDisk knows of a directory what a power loss can leave of it: what was synced, and any part of what was not. A
// file that is put in another's place by renaming is found whole or not at all, as on ext4; everything else is as
// POSIX has it: the name of a file is durable when its directory has been synced, its content when the file has.
type powerDisk struct {
	root string

	mu     sync.Mutex
	synced image
	held   []*os.File // so that no other file gets the inode of one that was synced
}

// image is a tree of files, by inode.
type image struct {
	dirs  map[string]map[string]uint64 // names and inodes in each directory, which is named by its path below the root
	files map[uint64][]byte            // contents of files; a directory has none
}

// newPowerDisk begins with what is there, and that is durable.
func newPowerDisk(t *testing.T, root string) *powerDisk {
	t.Helper()
	d := &powerDisk{root: root, synced: image{dirs: make(map[string]map[string]uint64), files: make(map[uint64][]byte)}}
	t.Cleanup(func() {
		for _, f := range d.held {
			_ = f.Close()
		}
	})
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, d.sync(path))
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sync notes what is durable from now on. It reads before it syncs: what is written in between may not be.
func (d *powerDisk) sync(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	d.held = append(d.held, f)
	return errors.Join(d.synced.add(d.root, path), f.Sync())
}

// add notes the names in a directory, or the content of a file.
func (i image) add(root, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		i.files[inode(info)], err = os.ReadFile(path)
		return err
	}
	entries, err := os.ReadDir(path)
	names := make(map[string]uint64, len(entries))
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil { // else it has just been removed
			names[entry.Name()] = inode(info)
		}
	}
	name, _ := filepath.Rel(root, path)
	i.dirs[name] = names
	return err
}

func inode(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

// outage is the moment at which the power goes.
type outage struct {
	synced, written image
}

// cut returns what was durable and what was written when the power went. The server may go on.
func (d *powerDisk) cut(t *testing.T) outage {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	o := outage{synced: image{dirs: maps.Clone(d.synced.dirs), files: maps.Clone(d.synced.files)}}
	for end := time.Now().Add(20 * time.Second); ; {
		o.written = image{dirs: make(map[string]map[string]uint64), files: make(map[uint64][]byte)}
		err := filepath.WalkDir(d.root, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, o.written.add(d.root, path))
		})
		if err == nil && o.written.whole() {
			return o
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not come to rest: %v", d.root, err)
		}
	}
}

// whole reports that every name leads to something: no file was put in another's place while they were read.
func (i image) whole() bool {
	for dir, names := range i.dirs {
		for name, inode := range names {
			_, isDir := i.dirs[filepath.Join(dir, name)]
			if _, isFile := i.files[inode]; !isDir && !isFile {
				return false
			}
		}
	}
	return true
}

// fate decides what becomes of one thing that was not synced.
type fate interface {
	// name says which of two contents of a name is found: what was synced last or what was written; absent is one, too.
	name(path string) (written bool)
	// content returns what is found of a file that has grown from one content to another.
	content(path string, synced, written []byte) []byte
}

// leave makes the directory that is found after the power loss.
func (o outage) leave(t *testing.T, root string, f fate) {
	t.Helper()
	o.leaveDir(t, root, ".", f)
}

func (o outage) leaveDir(t *testing.T, root, dir string, f fate) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
		t.Fatal(err)
	}
	old, now := o.synced.dirs[dir], o.written.dirs[dir]
	both := maps.Clone(old)
	if both == nil {
		both = make(map[string]uint64)
	}
	maps.Copy(both, now)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		path := filepath.Join(dir, name)
		was, is := old[name], now[name]
		found := is
		if was != is && !f.name(path) {
			found = was
		}
		if found == 0 {
			continue
		}
		if _, isDir := o.written.dirs[path]; isDir {
			o.leaveDir(t, root, path, f)
			continue
		}
		if err := os.WriteFile(filepath.Join(root, path), o.content(path, was, found, f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// content returns that of a file whose name led to another inode when it was synced.
func (o outage) content(path string, was, found uint64, f fate) []byte {
	synced, written := o.synced.files[found], o.written.files[found]
	if was != 0 && was != found || bytes.Equal(synced, written) {
		return written
	}
	if written == nil {
		return synced // its name is gone, and it has not been
	}
	return f.content(path, synced, written)
}

// nothingMore is the fate of everything that was not synced: it is gone.
type nothingMore struct{}

func (nothingMore) name(string) bool                          { return false }
func (nothingMore) content(_ string, synced, _ []byte) []byte { return synced }

// everything is there, as after kill -9.
type everything struct{}

func (everything) name(string) bool                           { return true }
func (everything) content(_ string, _, written []byte) []byte { return written }

// without is everything but one name.
type without string

func (w without) name(path string) bool { return path != string(w) }

func (w without) content(path string, synced, written []byte) []byte {
	if path == string(w) {
		return synced
	}
	return written
}

// only is nothing but one name.
type only string

func (o only) name(path string) bool { return path == string(o) || filepath.Ext(path) == "" }

func (o only) content(path string, synced, written []byte) []byte {
	if path == string(o) {
		return written
	}
	return synced
}

// anything is drawn for each name: there or not, whole, cut off, or with zeros where its end would be.
type anything struct{ random *rand.Rand }

func (a anything) name(string) bool { return a.random.IntN(2) == 0 }

func (a anything) content(_ string, synced, written []byte) []byte {
	shortest := min(len(synced), len(written))
	kept := shortest + a.random.IntN(len(written)-shortest+1)
	switch a.random.IntN(5) {
	case 0:
		return synced
	case 1:
		return written
	case 2:
		return written[:kept]
	case 3:
		return append(bytes.Clone(written[:kept]), make([]byte, len(written)-kept)...)
	default:
		return append(bytes.Clone(written[:shortest]), make([]byte, len(written)-shortest)...)
	}
}

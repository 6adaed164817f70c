package embedded

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
	open   []*os.File // so that no other file gets the inode of one that was synced
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
		for _, f := range d.open {
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
	d.open = append(d.open, f)
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

// powerCut is the moment at which the power goes.
type powerCut struct {
	synced, written image
}

// cut returns what was durable and what was written when the power went. The server may go on.
func (d *powerDisk) cut(t *testing.T) powerCut {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	o := powerCut{synced: image{dirs: maps.Clone(d.synced.dirs), files: maps.Clone(d.synced.files)}}
	for end := time.Now().Add(20 * time.Second); ; {
		o.written = image{dirs: make(map[string]map[string]uint64), files: make(map[uint64][]byte)}
		err := filepath.WalkDir(d.root, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, o.written.add(d.root, path))
		})
		if err == nil && o.written.consistent() {
			return o
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not come to rest: %v", d.root, err)
		}
	}
}

// consistent reports that every name leads to something: no file was put in another's place while they were read.
func (i image) consistent() bool {
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

// survival decides what becomes of one thing that was not synced.
type survival interface {
	// name says which of two contents of a name is found: what was synced last or what was written; absent is one, too.
	name(path string) (written bool)
	// content returns what is found of a file that has grown from one content to another.
	content(path string, synced, written []byte) []byte
}

// restore makes the directory that is found after the power loss.
func (o powerCut) restore(t *testing.T, root string, f survival) {
	t.Helper()
	o.restoreDir(t, root, ".", f)
}

func (o powerCut) restoreDir(t *testing.T, root, dir string, f survival) {
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
			o.restoreDir(t, root, path, f)
			continue
		}
		if err := os.WriteFile(filepath.Join(root, path), o.content(path, was, found, f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// content returns that of a file whose name led to another inode when it was synced.
func (o powerCut) content(path string, was, found uint64, f survival) []byte {
	synced, written := o.synced.files[found], o.written.files[found]
	if was != 0 && was != found || bytes.Equal(synced, written) {
		return written
	}
	if written == nil {
		return synced // its name is gone, and it has not been
	}
	return f.content(path, synced, written)
}

// nothingUnsynced is the fate of everything that was not synced: it is gone.
type nothingUnsynced struct{}

func (nothingUnsynced) name(string) bool                          { return false }
func (nothingUnsynced) content(_ string, synced, _ []byte) []byte { return synced }

// everythingWritten is there, as after kill -9.
type everythingWritten struct{}

func (everythingWritten) name(string) bool                           { return true }
func (everythingWritten) content(_ string, _, written []byte) []byte { return written }

// allExcept is everything but one name.
type allExcept string

func (w allExcept) name(path string) bool { return path != string(w) }

func (w allExcept) content(path string, synced, written []byte) []byte {
	if path == string(w) {
		return synced
	}
	return written
}

// onlyName is nothing but one name.
type onlyName string

func (o onlyName) name(path string) bool { return path == string(o) || filepath.Ext(path) == "" }

func (o onlyName) content(path string, synced, written []byte) []byte {
	if path == string(o) {
		return written
	}
	return synced
}

// randomly is drawn for each name: there or not, whole, cut off, or with zeros where its end would be.
type randomly struct{ random *rand.Rand }

func (a randomly) name(string) bool { return a.random.IntN(2) == 0 }

func (a randomly) content(_ string, synced, written []byte) []byte {
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

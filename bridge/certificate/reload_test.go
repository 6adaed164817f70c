package certificate

import (
	"path/filepath"
	"testing"
)

// TestReloadAtOnce: the new pair is active when it returns, without a poll.
func TestReloadAtOnce(t *testing.T) {
	dir := t.TempDir()
	o := Options{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	put := func(host string) {
		cert, key := pair(t, host)
		write(t, o.CertFile, cert)
		write(t, o.KeyFile, key)
	}
	put("old.example.com")
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	put("new.example.com")
	c.Reload()
	if names := c.active.Load().Certificates[0].Leaf.DNSNames; len(names) != 1 || names[0] != "new.example.com" {
		t.Errorf("the certificate is for %q", names)
	}
}

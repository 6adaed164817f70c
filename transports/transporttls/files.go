package transporttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// Contents are the files as read. They are comparable.
type Contents struct{ CA, Cert, Key string }

// Files are the parsed files. They are immutable.
type Files struct {
	Contents
	Roots *x509.CertPool   // nil: the system's
	Pair  *tls.Certificate // nil: none
}

// Load returns the files as they are now. Where one has not changed or cannot be used, what it had before stays.
func (c *Client) Load(before Files) (Files, error) {
	next := before
	err := errors.Join(c.loadRoots(&next), c.loadPair(&next))
	return next, err
}

func (c *Client) loadRoots(f *Files) error {
	text, err := c.Read(c.Prefix+caFile, c.CAFile)
	if text == "" || text == f.CA {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(text)) {
		return c.wrong(caFile, "%s contains no PEM certificate", c.CAFile)
	}
	f.CA, f.Roots = text, roots
	return nil
}

func (c *Client) loadPair(f *Files) error {
	if c.CertFile == "" || c.KeyFile == "" {
		return nil
	}
	cert, err := c.Read(c.Prefix+certFile, c.CertFile)
	if err != nil {
		return err
	}
	key, err := c.Read(c.Prefix+keyFile, c.KeyFile)
	if err != nil || cert == f.Cert && key == f.Key {
		return err
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return c.wrong(certFile, "cannot be used with %s%s: %w", c.Prefix, keyFile, err)
	}
	f.Cert, f.Key, f.Pair = cert, key, &pair
	return nil
}

// Read returns the content of a setting's file, which must not be empty; "" without a path. It serves a transport's
// other secrets too.
func (c *Client) Read(setting, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	content, err := c.ReadFile(path)
	if err == nil && strings.TrimSpace(string(content)) == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return "", c.SettingError(setting, err)
	}
	return string(content), nil
}

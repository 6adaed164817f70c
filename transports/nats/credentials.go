package nats

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nkeys"
)

// fileContents are the files that say who we are and whom we trust, as they were read.
type fileContents struct{ password, token, creds, nkey, ca, cert, key string }

// secrets are fileContents that can be used. They do not change.
type secrets struct {
	fileContents
	jwt    string // of a credentials file
	public string // of an nkey
	roots  *x509.CertPool
	pair   tls.Certificate
}

// credentials follow their files. What cannot be used leaves in force what was good before, file by file.
type credentials struct {
	opts   *Options
	mu     sync.Mutex // of who loads
	active atomic.Pointer[secrets]
}

// openCredentials reads the files. All mistakes are in the error, each with the name of its setting.
func openCredentials(o *Options) (*credentials, error) {
	c := &credentials{opts: o}
	c.active.Store(&secrets{fileContents: fileContents{password: o.Password, token: o.Token}})
	return c, c.load()
}

// current returns what is in force.
func (c *credentials) current() *secrets { return c.active.Load() }

// load reads the files again.
func (c *credentials) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := *c.active.Load()
	err := errors.Join(
		c.loadText("NATS_PASSWORD_FILE", c.opts.PasswordFile, &next.password),
		c.loadText("NATS_TOKEN_FILE", c.opts.TokenFile, &next.token),
		c.loadCreds(&next), c.loadNKey(&next), c.loadRoots(&next), c.loadPair(&next))
	c.active.Store(&next)
	return err
}

// read returns a file that is not empty. Without a path nothing is read.
func (c *credentials) read(setting, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	content, err := c.opts.ReadFile(path)
	if err == nil && strings.TrimSpace(string(content)) == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return "", settingError(setting, err)
	}
	return string(content), nil
}

func (c *credentials) loadText(setting, path string, into *string) error {
	text, err := c.read(setting, path)
	if text != "" {
		*into = strings.TrimRight(text, "\r\n")
	}
	return err
}

func (c *credentials) loadCreds(s *secrets) error {
	text, err := c.read("NATS_CREDS_FILE", c.opts.CredsFile)
	if text == "" || text == s.creds {
		return err
	}
	jwt, err := nkeys.ParseDecoratedJWT([]byte(text))
	if err == nil {
		_, err = nkeys.ParseDecoratedUserNKey([]byte(text))
	}
	if err != nil {
		return settingError("NATS_CREDS_FILE", fmt.Errorf("%s: no user JWT and seed found: %w", c.opts.CredsFile, err))
	}
	s.creds, s.jwt = text, jwt
	return nil
}

func (c *credentials) loadNKey(s *secrets) error {
	text, err := c.read("NATS_NKEY_FILE", c.opts.NKeyFile)
	if text == "" || text == s.nkey {
		return err
	}
	pair, err := nkeys.ParseDecoratedUserNKey([]byte(text))
	var public string
	if err == nil {
		public, err = pair.PublicKey()
	}
	if err != nil {
		return settingError("NATS_NKEY_FILE", fmt.Errorf("%s: no user seed found: %w", c.opts.NKeyFile, err))
	}
	s.nkey, s.public = text, public
	return nil
}

func (c *credentials) loadRoots(s *secrets) error {
	text, err := c.read("NATS_TLS_CA_FILE", c.opts.CAFile)
	if text == "" || text == s.ca {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(text)) {
		return settingError("NATS_TLS_CA_FILE", fmt.Errorf("%s: no PEM certificate found", c.opts.CAFile))
	}
	s.ca, s.roots = text, roots
	return nil
}

func (c *credentials) loadPair(s *secrets) error {
	if c.opts.CertFile == "" || c.opts.KeyFile == "" {
		return nil
	}
	cert, err := c.read("NATS_TLS_CERT_FILE", c.opts.CertFile)
	if err != nil {
		return err
	}
	key, err := c.read("NATS_TLS_KEY_FILE", c.opts.KeyFile)
	if err != nil || cert == s.cert && key == s.key {
		return err
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return settingError("NATS_TLS_CERT_FILE", fmt.Errorf("and NATS_TLS_KEY_FILE cannot be used: %w", err))
	}
	s.cert, s.key, s.pair = cert, key, pair
	return nil
}

// sign answers the server's challenge with the seed of a credentials file or of an nkey.
func (s *secrets) sign(nonce []byte) ([]byte, error) {
	seed := s.creds
	if seed == "" {
		seed = s.nkey
	}
	pair, err := nkeys.ParseDecoratedUserNKey([]byte(seed))
	if err != nil {
		return nil, err
	}
	defer pair.Wipe()
	return pair.Sign(nonce)
}

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

// fileContents are the files of credentials and of trusted authorities, as read.
type fileContents struct{ password, token, creds, nkey, ca, cert, key string }

// secrets are parsed fileContents. They are immutable.
type secrets struct {
	fileContents
	jwt    string // of a credentials file
	public string // of an nkey
	roots  *x509.CertPool
	pair   tls.Certificate
}

// credentials follow their files. A file that cannot be used leaves its previous content active.
type credentials struct {
	opts   *Options
	mu     sync.Mutex // held while loading
	active atomic.Pointer[secrets]
}

// openCredentials reads the files. The error has all mistakes, each with the name of its setting.
func openCredentials(o *Options) (*credentials, error) {
	c := &credentials{opts: o}
	c.active.Store(&secrets{fileContents: fileContents{password: o.Password, token: o.Token}})
	return c, c.load()
}

// current returns the active secrets.
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

// read returns the content of a file, which must not be empty; "" without a path.
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
		return settingError("NATS_CREDS_FILE",
			fmt.Errorf("%s contains no user JWT and seed: %w", c.opts.CredsFile, err))
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
		return settingError("NATS_NKEY_FILE", fmt.Errorf("%s contains no user seed: %w", c.opts.NKeyFile, err))
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
		return settingError("NATS_TLS_CA_FILE", fmt.Errorf("%s contains no PEM certificate", c.opts.CAFile))
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
		return settingError("NATS_TLS_CERT_FILE", fmt.Errorf("cannot be used with NATS_TLS_KEY_FILE: %w", err))
	}
	s.cert, s.key, s.pair = cert, key, pair
	return nil
}

// sign signs the server's nonce with the seed of the credentials file or the nkey file.
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

package nats

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"livebridge/transports/transporttls"

	"github.com/nats-io/nkeys"
)

// fileContents are the files of credentials and of trusted authorities, as read. They are comparable.
type fileContents struct {
	password, token, creds, nkey string
	tls                          transporttls.Contents
}

// secrets are the parsed files. They are immutable.
type secrets struct {
	password, token, creds, nkey string

	jwt    string // of a credentials file
	public string // of an nkey
	tls    transporttls.Files
}

func (s *secrets) contents() fileContents {
	return fileContents{s.password, s.token, s.creds, s.nkey, s.tls.Contents}
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
	c.active.Store(&secrets{password: o.Password, token: o.Token})
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
		c.loadCreds(&next), c.loadNKey(&next))
	var unusable error
	next.tls, unusable = c.opts.tlsClient().Load(next.tls)
	err = errors.Join(err, unusable)
	c.active.Store(&next)
	return err
}

func (c *credentials) read(setting, path string) (string, error) {
	return c.opts.tlsClient().Read(setting, path)
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

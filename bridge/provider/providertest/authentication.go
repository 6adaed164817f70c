package providertest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	algorithm  = "SDK-HMAC-SHA256"
	dateFormat = "20060102T150405Z"
	// maxSkew is how far a request's time may be from the provider's.
	maxSkew = 15 * time.Minute
	// maxBody bounds a request's body, in bytes.
	maxBody = 1 << 20
)

// authenticated serves requests with a valid signature.
func (p *Provider) authenticated(f handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.authenticate(r); err != nil {
			p.refuse(w, refusal{http.StatusUnauthorized, "APIGW.0301",
				"Incorrect IAM authentication information: " + err.Error()})
			return
		}
		if project := r.PathValue("project"); project != "" && project != p.config.Project ||
			r.Header.Get("X-Project-Id") != p.config.Project {
			p.refuse(w, refusal{http.StatusForbidden, "LIVE.100011003", "No permission for this project"})
			return
		}
		status, body, err := f(r)
		var refused refusal
		switch {
		case errors.As(err, &refused):
			p.refuse(w, refused)
		case err != nil:
			p.refuse(w, invalid(err.Error()))
		default:
			answer(w, status, body)
		}
	})
}

// authenticate checks the signature of a request and leaves its body to be read again.
func (p *Provider) authenticate(r *http.Request) error {
	given, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	if given.accessKey != p.config.AccessKey {
		return fmt.Errorf("ak not exist: %s", given.accessKey)
	}
	if r.Header.Get("X-Security-Token") != p.config.SecurityToken {
		return errors.New("security token is invalid")
	}
	sent, err := time.Parse(dateFormat, r.Header.Get("X-Sdk-Date"))
	if err != nil || p.config.Now().Sub(sent).Abs() > maxSkew {
		return errors.New("signature expired")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	expected := sign(p.config.SecretKey, sent, canonical(r, given.headers, body))
	if !hmac.Equal([]byte(expected), []byte(given.signature)) {
		return errors.New("verify aksk signature fail")
	}
	return nil
}

// authorization is the header Authorization.
type authorization struct {
	accessKey, signature string
	headers              []string
}

func parseAuthorization(text string) (authorization, error) {
	rest, found := strings.CutPrefix(text, algorithm+" ")
	members := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		members[name] = v
	}
	a := authorization{members["Access"], members["Signature"], strings.Split(members["SignedHeaders"], ";")}
	if !found || a.accessKey == "" || a.signature == "" || !slices.Contains(a.headers, "x-sdk-date") {
		return a, errors.New("the Authorization header is absent or malformed")
	}
	return a, nil
}

// sign returns the signature of a canonical request.
func sign(secret string, at time.Time, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s\n%s\n%s", algorithm, at.UTC().Format(dateFormat), hex.EncodeToString(sum[:]))
	return hex.EncodeToString(mac.Sum(nil))
}

// canonical returns what of a request is signed: method, path, query, the named headers and the body's hash.
func canonical(r *http.Request, headers []string, body []byte) string {
	path := r.URL.EscapedPath()
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	var lines strings.Builder
	for _, name := range headers {
		v := strings.TrimSpace(r.Header.Get(name))
		if name == "host" {
			v = r.Host
		}
		fmt.Fprintf(&lines, "%s:%s\n", name, v)
	}
	sum := sha256.Sum256(body)
	return strings.Join([]string{r.Method, path, canonicalQuery(r.URL.Query()), lines.String(),
		strings.Join(headers, ";"), hex.EncodeToString(sum[:])}, "\n")
}

// canonicalQuery returns the parameters in order, with spaces as %20.
func canonicalQuery(query url.Values) string {
	for _, values := range query {
		slices.Sort(values)
	}
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

package ingress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// keepBuffer is the largest buffer that is kept for another request.
const keepBuffer = 256 << 10

// buffer is where a body is read to.
type buffer struct{ bytes.Buffer }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) release() {
	if b.Cap() <= keepBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// read returns the body, or why it is not looked at. It reads no further than the limit.
func (s *Server) read(r *http.Request, b *buffer) ([]byte, *refusal) {
	if r.ContentLength > s.cfg.MaxBody {
		return nil, s.tooLarge()
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "compressed",
			"the body is compressed; send it without Content-Encoding"}
	}
	_, err := b.ReadFrom(io.LimitReader(r.Body, s.cfg.MaxBody+1))
	var timeout interface{ Timeout() bool }
	switch {
	case int64(b.Len()) > s.cfg.MaxBody:
		return nil, s.tooLarge()
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, &refusal{http.StatusBadRequest, "bad_request", "slow", "the body did not come in time"}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, "bad_request", "broken", "the body broke off"}
	}
	return b.Bytes(), nil
}

func (s *Server) tooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, "too_large", "too_large",
		fmt.Sprintf("the body has more than %d bytes (MAX_BODY)", s.cfg.MaxBody)}
}

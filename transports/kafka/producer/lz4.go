package producer

import (
	"io"
	"sync"

	"github.com/pierrec/lz4/v4"
)

// lz4Codec compresses in blocks of 64 KiB, as Kafka's own clients do. Each writer, and each reader of what it has
// written, has buffers of a block's size, which is 4 MiB by default, however little is written.
type lz4Codec struct {
	writers sync.Pool // *lz4.Writer
}

// lz4Writer goes back to its pool when it is closed.
type lz4Writer struct {
	*lz4.Writer
	pool *sync.Pool
}

// NewWriter implements codec.
func (c *lz4Codec) NewWriter(w io.Writer) io.WriteCloser {
	z, _ := c.writers.Get().(*lz4.Writer)
	if z == nil {
		z = lz4.NewWriter(nil)
		_ = z.Apply(lz4.BlockSizeOption(lz4.Block64Kb)) // fails only once something was written
	}
	z.Reset(w)
	return &lz4Writer{z, &c.writers}
}

// Close implements io.Closer.
func (w *lz4Writer) Close() error {
	err := w.Writer.Close()
	w.Reset(nil)
	w.pool.Put(w.Writer)
	return err
}

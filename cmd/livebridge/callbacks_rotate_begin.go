package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

func (f *apiFlags) rotateBegin() *cobra.Command {
	r := &rotate{apiFlags: f}
	var addTo string
	c := &cobra.Command{
		Use: "begin KIND", Short: "Make a new key, and wait until every instance has it", Args: exactlyOne("KIND"),
		Long: "Makes a new key, or takes that of --key-file or --key-env, and waits until every instance reports it in\n" +
			"force. Meanwhile add it to the keys of all instances, behind the old one: to the file of the setting, the\n" +
			"Kubernetes Secret, or KEYS_FILE. The provider still signs with the old one.",
		Example: "  livebridge callbacks rotate begin record --key-file new.key --instance http://10.0.0.7:9090\n" +
			"  livebridge callbacks rotate begin stream --key-file new.key --add-to /etc/livebridge/stream.keys \\\n" +
			"    --instance http://127.0.0.1:9090",
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(r.setKind(args[0]), r.checkKeyFlags()); err != nil {
				return err
			}
			key, err := r.newKey(c)
			if err != nil {
				return err
			}
			return r.begin(c, key, addTo)
		},
	}
	r.addKeyFlags(c, "`file` with the new key; made if it does not exist (default: the key is printed)")
	r.addFlags(c, 10*time.Minute)
	c.Flags().StringVar(&addTo, "add-to", "", "`file` with one key per line that the new key is added to")
	return c
}

// begin brings a key into force.
func (r *rotate) begin(c *cobra.Command, key provider.Key, addTo string) error {
	id, w := signature.KeyID(key.Reveal()), c.ErrOrStderr()
	if addTo != "" {
		added, err := keyring.AddKey(addTo, key.Reveal())
		if err != nil {
			return fmt.Errorf("--add-to %s: %w", addTo, err)
		}
		if added {
			fmt.Fprintf(w, "key %s is added to %s\n", id, addTo)
		}
	}
	if len(r.instances) == 0 {
		fmt.Fprintf(w, "the new key is %s; add it to the keys of every instance, and repeat this with --instance\n", id)
		return nil
	}
	if err := r.awaitKey(c, id); err != nil {
		return err
	}
	fmt.Fprintf(w, "key %s is in force at every instance; continue with livebridge callbacks rotate switch\n", id)
	return nil
}

// newKey takes the key that the flags name, or makes one and stores or prints it.
func (r *rotate) newKey(c *cobra.Command) (provider.Key, error) {
	if r.key != (provider.KeyReference{}) {
		key, err := r.env.keyFrom(r.key)
		if err == nil {
			return key, r.checkKey(key)
		}
		if r.key.Env != "" || !errors.Is(err, fs.ErrNotExist) {
			return "", &usageError{fmt.Errorf("%v: %w", r.key, err)}
		}
	}
	key := provider.Key(rand.Text() + rand.Text()) // letters and digits, as recordings need it
	if r.key.File == "" {
		fmt.Fprintln(c.OutOrStdout(), key.Reveal())
		return key, nil
	}
	return key, createSecret(r.key.File, key.Reveal()+"\n")
}

// createSecret writes a new file that nobody else may read.
func createSecret(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("--key-file: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// checkKey rejects a key that the provider would not accept.
func (r *rotate) checkKey(key provider.Key) error {
	lists := map[bridge.Kind]signature.Config{bridge.KindStream: {Stream: []string{key.Reveal()}},
		bridge.KindRecord: {Record: []string{key.Reveal()}}, bridge.KindRTCRecord: {RTC: []string{key.Reveal()}}}
	if _, err := signature.NewRing(lists[r.kind]); err != nil {
		return &usageError{err}
	}
	return nil
}

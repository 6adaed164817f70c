// Package keyring loads the keys that verify callbacks from files and reloads them while callbacks are served: each
// change makes a new signature.Ring.
//
// Files are polled every half second, on any file system: a file rewritten in place, replaced by a rename, or swapped
// behind a symbolic link by Kubernetes looks the same to a reader. A new content counts when two polls in a row read
// the same, so that a file that is still being written is not used. A file that cannot be read, is empty, or has a key
// that the provider does not accept is logged, and the previous keys stay active.
//
// Keys are never shown: errors name the setting, the file and the line; logs and metrics a key's id (signature.KeyID).
package keyring

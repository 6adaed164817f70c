// Package keyring reads the keys that callbacks are judged by from files, and puts what is written into them later in
// force while callbacks are judged: a new signature.Ring for each change.
//
// Files are looked at every half second, whatever the file system: rewriting in place, replacing by a rename, and the
// symbolic links that Kubernetes swaps all look the same to who reads. A new content counts when two readings in a row
// are equal, so that a file which is being written is not taken for a whole one. What cannot be read, is empty, or holds
// a key that the provider would not have taken is told to the operator, and the keys before it stay in force.
//
// A key never shows: errors name the setting, the file and the line, logs and metrics a key's id (signature.KeyID).
package keyring

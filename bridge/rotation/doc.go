// Package rotation decides how far the rotation of a key has come, by what the running instances report of their keys
// (admin.Instance). Every function is pure.
//
// A key is rotated in three phases, each of which can be repeated: the new key comes into force beside the old one at
// every instance, then the provider signs with it, and when the old one is no longer used, it is removed. So there is
// never an instance that rejects what the provider signs.
package rotation

// Package certificate reloads the certificate of the callback port, and the authorities that client certificates are
// verified against, when their files change.
//
// The files are polled twice a second, and a new content counts when two polls in a row read the same. A pair that does
// not match, or a file that is incomplete or missing, leaves the previous certificate active, a line in the log and a
// metric at 0. Files may be written in place, replaced, or swapped behind a symbolic link.
package certificate

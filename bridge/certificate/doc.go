// Package certificate keeps the certificate that callbacks are taken with over HTTPS, and the authorities whose client
// certificates are asked for, in step with their files.
//
// The files are looked at twice a second. What two looks in a row have found the same is tried; a pair that does not
// belong together, a file that is half written or gone, leaves what was before in force and is told in the log and in a
// metric. It makes no difference whether files are written in place, replaced, or swapped behind a symbolic link.
package certificate

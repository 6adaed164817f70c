package ingress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// Why a TLS handshake failed: the values of a label.
const (
	noClientCertificate      = "no_client_certificate"
	unknownAuthority         = "unknown_authority"
	certificateExpired       = "client_certificate_expired"
	certificateInvalid       = "client_certificate_invalid"
	unsupportedVersion       = "unsupported_version"
	plainHTTP                = "plain_http"
	tlsToPlainPort           = "tls_to_plain_port"
	rejectedByClient         = "rejected_by_client"
	handshakeIncomplete      = "incomplete" // the connection ended, or nothing was received: port scans and health checks
	handshakeFailedOtherwise = "other"
)

func handshakeReasons() []string {
	return []string{noClientCertificate, unknownAuthority, certificateExpired, certificateInvalid, unsupportedVersion,
		plainHTTP, tlsToPlainPort, rejectedByClient, handshakeIncomplete, handshakeFailedOtherwise}
}

// trackState is called for every change of a connection's state.
func (s *Server) trackState(c net.Conn, state http.ConnState) {
	s.listening.track(c, state)
	s.connState(c, state)
}

// connState reports the failed handshakes of closed connections. A connection keeps the error of a failed handshake.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	secure, ok := c.(*tls.Conn)
	if !ok || state != http.StateClosed || secure.ConnectionState().HandshakeComplete {
		return
	}
	if err := secure.Handshake(); err != nil {
		s.handshakeFailed(c, handshakeReason(err), err.Error())
	}
}

func (s *Server) handshakeFailed(c net.Conn, reason, detail string) {
	s.metrics.handshakes[reason].Inc()
	if reason != handshakeIncomplete {
		s.report.handshakeFailed(c.RemoteAddr().String(), reason, detail)
	}
}

// checkFirstBytes detects a client that speaks TLS on a port without it.
func (s *Server) checkFirstBytes(c net.Conn, first []byte) {
	const handshakeRecord, majorVersion = 0x16, 3
	if len(first) > 1 && first[0] == handshakeRecord && first[1] == majorVersion {
		s.handshakeFailed(c, tlsToPlainPort,
			"client speaks TLS but the port is plain HTTP; set TLS_CERT_FILE, or use http://")
	}
}

func handshakeReason(err error) string {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var op *net.OpError
	switch {
	case errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader):
		return plainHTTP
	case errors.As(err, &record) && record.Conn != nil:
		return handshakeFailedOtherwise
	case isCertificateError(err):
		return certificateReason(err)
	case strings.HasPrefix(err.Error(), "tls: client didn't provide a certificate"): // it has no type
		return noClientCertificate
	case strings.HasPrefix(err.Error(), "tls: client offered only unsupported versions"):
		return unsupportedVersion
	case errors.As(err, &op) && op.Op == "remote error", errors.As(err, &alert):
		return rejectedByClient
	case isPlainAlert(err):
		return rejectedByClient
	case errors.As(err, &op) && op.Op == "local error", strings.HasPrefix(err.Error(), "tls: "):
		return handshakeFailedOtherwise
	}
	return handshakeIncomplete
}

// isPlainAlert reports whether a client of TLS 1.3 seems to have sent an alert without encryption, as OpenSSL does when
// it rejects the server's certificate. The server expects encrypted records by then and cannot decrypt this one.
func isPlainAlert(err error) bool { return err.Error() == "local error: tls: bad record MAC" }

// looksLikeHTTP reports whether a record header may be the beginning of a request line.
func looksLikeHTTP(header [5]byte) bool {
	for _, c := range header {
		if (c < 'A' || 'Z' < c) && c != ' ' && c != '/' {
			return false
		}
	}
	return true
}

func isCertificateError(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification)
}

func certificateReason(err error) string {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return unknownAuthority
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return certificateExpired
	}
	return certificateInvalid
}

// The target of a request.
#pragma once

#include <boost/beast/http/verb.hpp>
#include <boost/system/result.hpp>
#include <boost/url/url_view.hpp>

#include <string_view>

namespace causeway::http {

/// A request's target as a URL. Origin-form is what clients send; absolute-form is what they send to a proxy, and a
/// server takes it too (RFC 9112 §3.2.2). An error when it is not a valid URL, or not one of this server's scheme with
/// a host and without user information (RFC 9110 §4.2.1, §4.2.4); also with CONNECT, which names no resource (RFC 9112
/// §3.2.3). The result refers to `target`.
boost::system::result<boost::urls::url_view> parse_target(boost::beast::http::verb method, std::string_view target);

/// Whether `target` is the root. So is an empty path (RFC 9110 §4.2.3).
bool is_root(const boost::urls::url_view& target);

} // namespace causeway::http

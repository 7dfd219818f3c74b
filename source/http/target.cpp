#include "http/target.hpp"

#include <boost/url/error.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>

namespace causeway::http {
namespace {

namespace urls = boost::urls;

bool is_http(const urls::url_view& target)
{
    const bool has_scheme = target.scheme_id() == urls::scheme::http || target.scheme_id() == urls::scheme::https;
    return has_scheme && !target.encoded_host().empty() && !target.has_userinfo();
}

} // namespace

boost::system::result<urls::url_view> parse_target(boost::beast::http::verb method, std::string_view target)
{
    if (method == boost::beast::http::verb::connect)
        return urls::error::not_a_base;
    if (target.starts_with('/'))
        return urls::parse_origin_form(target);
    const auto absolute = urls::parse_absolute_uri(target);
    if (absolute && !is_http(*absolute))
        return urls::error::not_a_base;
    return absolute;
}

bool is_root(const urls::url_view& target) { return target.encoded_path().empty() || target.encoded_path() == "/"; }

} // namespace causeway::http

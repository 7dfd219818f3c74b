#include "http/question.hpp"

#include <boost/url/decode_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace causeway::http {
namespace {

namespace urls = boost::urls;
using beast::http::verb;

constexpr std::string_view parameter_name = "statusCode";

// Origin-form is what clients send; absolute-form is what they send to a proxy, and a server takes it too
// (RFC 9112 §3.2.2). CONNECT names no resource (§3.2.3).
boost::system::result<urls::url_view> parse_target(verb method, std::string_view target)
{
    if (method == verb::connect)
        return urls::error::not_a_base;
    return target.starts_with('/') ? urls::parse_origin_form(target) : urls::parse_absolute_uri(target);
}

// An empty path is the root (RFC 9110 §4.2.3).
bool is_root(const urls::url_view& target) { return target.encoded_path().empty() || target.encoded_path() == "/"; }

// One pass over the parameters, which decodes only what it compares.
boost::system::result<codes::code, response> code_in_query(const urls::url_view& target)
{
    std::size_t found = 0;
    std::optional<codes::code> code;
    for (const auto parameter : target.encoded_params()) {
        if (*parameter.key != parameter_name)
            continue;
        ++found;
        const auto value = *parameter.value;
        std::array<char, codes::code::size> text{};
        if (value.size() == text.size()) {
            std::ranges::copy(value, text.begin());
            code = codes::code::parse({text.data(), text.size()});
        }
    }
    if (found == 0)
        return bad_request("statusCode is missing: ask for example for /?statusCode=404");
    if (found > 1)
        return bad_request("statusCode is there more than once: ask for one code at a time");
    if (!code)
        return bad_request("statusCode is not a code: it must be exactly three letters or digits");
    return *code;
}

// What nearly all clients send, to the letter; it needs no parser to be understood.
std::optional<codes::code> code_in_plain_target(std::string_view target)
{
    constexpr std::string_view before_the_code = "/?statusCode=";
    if (!target.starts_with(before_the_code))
        return std::nullopt;
    return codes::code::parse(target.substr(before_the_code.size()));
}

} // namespace

boost::system::result<codes::code, response> code_in(const request& request)
{
    const bool is_question = request.method == verb::get || request.method == verb::head;
    if (const auto code = code_in_plain_target(request.target); code && is_question)
        return *code;

    const auto target = parse_target(request.method, request.target);
    if (target && !is_root(*target))
        return not_found();
    if (!is_question)
        return method_not_allowed();
    if (!target)
        return bad_request("the request target is not a valid URL");
    return code_in_query(*target);
}

} // namespace causeway::http

#include "http/request_parser.hpp"

#include "http/characters.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/url/authority_view.hpp>
#include <boost/url/rfc/sub_delim_chars.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace causeway::http {
namespace {

namespace urls = boost::urls;
using beast::http::field;
using beast::http::status;
using protocol_error = beast::http::error;

// The characters of a host name that need no escape (RFC 3986 §3.2.2).
constexpr character_set plain_host_chars(urls::unreserved_chars + urls::sub_delim_chars);
constexpr character_set digits(urls::grammar::lut_chars("0123456789"));

// uri-host [ ":" port ] (RFC 9110 §7.2). Nearly all are plain; only addresses in brackets and escapes need a parser.
bool is_host(std::string_view value)
{
    const auto rest = value.substr(plain_host_chars.prefix(value));
    if (rest.empty())
        return true;
    if (rest.front() == ':')
        return 1 + digits.prefix(rest.substr(1)) == rest.size();
    const auto authority = urls::parse_authority(value);
    return authority && !authority->has_userinfo();
}

bool lists(beast::string_view value, beast::string_view token)
{
    const auto tokens = beast::http::opt_token_list(value);
    return std::any_of(tokens.begin(), tokens.end(), [&](const auto& each) { return beast::iequals(each, token); });
}

} // namespace

std::string_view request::field(std::string_view name) const noexcept
{
    const auto found = std::ranges::find_if(fields, [&](const auto& each) { return beast::iequals(each.name, name); });
    return found == fields.end() ? std::string_view() : found->value;
}

request_parser::request_parser(request& request, body_use use, bool keeps_fields)
    : request_(request)
    , body_(use == body_use::kept ? &request.body : nullptr)
    , keeps_fields_(keeps_fields)
{
    request_.method = beast::http::verb::unknown;
    request_.content_type.clear();
    request_.body.clear();
    if (keeps_fields_)
        request_.fields.clear();
    eager(true);
    header_limit(std::numeric_limits<std::uint32_t>::max()); // Beast forgets what it has consumed; see read_head
    // Beast's parser of chunks asserts that it sees five bytes of the last one, and searches for the end of a quoted
    // extension beyond the end of the line. So it does not parse bodies here.
    skip(true);
}

std::size_t request_parser::read(std::string_view input)
{
    auto consumed = begun_ ? 0 : find_beginning(input);
    const auto request = input.substr(consumed);
    if (begun_)
        consumed += read_request(request);
    if (refusal_ && head_size_ == 0 && request.starts_with("HEAD ")) // which Beast has not seen yet
        request_.method = beast::http::verb::head;
    if (refusal_)
        state_ = request_state::refused;
    else if (is_header_done() && body_.ended())
        state_ = request_state::complete;
    return consumed;
}

// Returns how many bytes at the front are the empty line that may precede the request.
std::size_t request_parser::find_beginning(std::string_view input)
{
    constexpr std::string_view empty_line = "\r\n";
    std::size_t skipped = 0;
    if (!skipped_empty_line_ && input.starts_with(empty_line)) {
        skipped_empty_line_ = true;
        skipped = empty_line.size();
    }
    const auto rest = input.substr(skipped);
    const bool may_become_empty_line = !skipped_empty_line_ && rest == "\r";
    begun_ = !rest.empty() && !may_become_empty_line;
    return skipped;
}

std::size_t request_parser::read_request(std::string_view input)
{
    if (!line_.ended()) {
        line_.scan(input, refusal_);
        looked_at_ = line_.size();
        if (!line_.ended())
            return 0;
    }
    if (const auto problem = scanner_.scan(input.substr(looked_at_))) {
        refusal_ = refusal{status::bad_request, std::string(*problem)};
        return 0;
    }
    auto consumed = is_header_done() ? 0 : read_head(input);
    if (is_header_done() && !refusal_)
        consumed += body_.read(input.substr(consumed), refusal_);
    looked_at_ = input.size() - consumed;
    return consumed;
}

std::size_t request_parser::read_head(std::string_view input)
{
    if (input.empty()) // an empty buffer is a null pointer, on which Beast's parser would do arithmetic
        return 0;
    error_code error;
    const auto consumed = put(boost::asio::buffer(input), error);
    head_size_ += consumed;
    const auto has_come = is_header_done() ? head_size_ : head_size_ + input.size() - consumed;
    if (refusal_)
        return consumed;
    if (has_come > longest_head)
        refusal_ = refusal{status::request_header_fields_too_large, "the request head is longer than 8 KiB"};
    else if (error && error != protocol_error::need_more)
        refusal_ = refusal{status::bad_request, "this is not an HTTP/1.1 request: " + error.message()};
    return consumed;
}

bool request_parser::take_expectation() noexcept
{
    return is_header_done() && state_ == request_state::needs_more && std::exchange(expects_continue_, false);
}

void request_parser::end() noexcept
{
    if (state_ == request_state::needs_more)
        state_ = request_state::ended;
}

void request_parser::refuse(refusal reason)
{
    if (state_ != request_state::needs_more)
        return;
    refusal_ = std::move(reason);
    state_ = request_state::refused;
}

void request_parser::refuse(status status, std::string problem, error_code& error)
{
    refusal_ = refusal{status, std::move(problem)};
    error = protocol_error::bad_value; // any error makes the parser stop; `refusal_` says which
}

void request_parser::on_request_impl(beast::http::verb method, string_view method_name, string_view target, int version,
                                     error_code&)
{
    if (request_.access)
        request_.access->set_method(method, {method_name.data(), method_name.size()});
    request_.method = method;
    request_.target = target;
    request_.version = static_cast<unsigned>(version);
}

void request_parser::on_field_impl(field field, string_view name, string_view value, error_code& error)
{
    if (keeps_fields_)
        keep(name, value);
    const bool is_http_1_0 = request_.version < 11;
    switch (field) {
    case field::host: // RFC 9112 §3.2
        if (std::exchange(has_host_, true))
            refuse(status::bad_request, "there is more than one Host", error);
        else if (!is_host({value.data(), value.size()}))
            refuse(status::bad_request, "the Host is not a valid host or host:port", error);
        break;
    case field::connection:
        asks_to_close_ |= is_http_1_0 && lists(value, "close");
        asks_to_stay_ |= is_http_1_0 && lists(value, "keep-alive");
        break;
    case field::content_type: // several fields form a list (RFC 9110 §5.3), which is not a media type
        if (!request_.content_type.empty())
            request_.content_type += ", ";
        request_.content_type.append(value.data(), value.size());
        break;
    case field::content_length: // once, also within the field (RFC 9112 §6.3, no. 5)
        if (std::exchange(has_content_length_, true) || value.find(',') != string_view::npos)
            refuse(status::bad_request, "there is more than one Content-Length", error);
        break;
    case field::transfer_encoding: // RFC 9112 §6.1
        if (is_http_1_0)
            refuse(status::bad_request, "HTTP/1.0 has no Transfer-Encoding", error);
        else if (!beast::iequals(value, "chunked"))
            refuse(status::not_implemented, "the only supported Transfer-Encoding is chunked", error);
        break;
    case field::expect: // RFC 9110 §10.1.1
        if (is_http_1_0)
            break;
        expects_continue_ = beast::iequals(value, "100-continue");
        if (!expects_continue_)
            refuse(status::expectation_failed, "the only supported expectation is 100-continue", error);
        break;
    case field::unknown:
        if (request_.access && beast::iequals(name, "X-Request-Id"))
            request_.access->offer_id({value.data(), value.size()});
        break;
    default:
        break;
    }
}

// By itself, so that where none are kept this costs no more than a look.
[[gnu::noinline]] void request_parser::keep(string_view name, string_view value)
{
    request_.fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
}

void request_parser::on_header_impl(error_code& error)
{
    if (!has_host_ && request_.version >= 11) // RFC 9112 §3.2
        return refuse(status::bad_request, "there is no Host", error);
    // For HTTP/1.0, Beast also accepts Proxy-Connection, and prefers keep-alive; close must win (RFC 9112 §9.3).
    request_.keep_alive = request_.version < 11 ? asks_to_stay_ && !asks_to_close_ : keep_alive();
    if (chunked())
        body_.expect_chunks();
    else if (const auto length = content_length(); length && *length > body_reader::longest)
        refuse(status::payload_too_large, "the request body is longer than 64 KiB", error);
    else if (length)
        body_.expect_content(*length);
}

void request_parser::on_finish_impl(error_code&) {}

// Not called: what is parsed here is not a response, and has no body.
void request_parser::on_response_impl(int, string_view, int, error_code&) {}
void request_parser::on_body_init_impl(const optional_length&, error_code&) {}
std::size_t request_parser::on_body_impl(string_view, error_code&) { return 0; }
void request_parser::on_chunk_header_impl(std::uint64_t, string_view, error_code&) {}
std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view, error_code&) { return 0; }

} // namespace causeway::http

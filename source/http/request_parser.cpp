#include "http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <utility>

namespace causeway::http {
namespace {

using beast::http::field;
using beast::http::status;
using protocol_error = beast::http::error;

// What a client sends first that speaks HTTP/2 without having asked (RFC 9113 §3.4).
constexpr std::string_view http2_preface = "PRI * HTTP/2.0";

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Whether `input` begins with a request line of another version, and not with something that has no version at all
// (RFC 9112 §2.3).
bool names_another_version(std::string_view input)
{
    const auto target = input.find(' ') + 1;
    const auto version = input.substr(std::min(input.find(' ', target), input.size() - 1) + 1, 8);
    return !http2_preface.starts_with(input.substr(0, http2_preface.size())) && version.size() == 8 &&
           version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
}

} // namespace

request_parser::request_parser(request& request)
    : request_(request)
{
    request_.target.clear(); // that it is empty tells below how far the head has come
    eager(true);
    header_limit(longest_head);
    // Beast's parser of chunks asserts that it is shown five bytes of the last one, and looks for the end of a quoted
    // extension behind the end of the line. So bodies are not its business.
    skip(true);
}

std::size_t request_parser::read(std::string_view input)
{
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
    error_code error;
    const auto consumed = put(boost::asio::buffer(input), error);
    if (error && error != protocol_error::need_more && !refusal_)
        explain(error, input);
    return consumed;
}

bool request_parser::take_expectation() noexcept
{
    return is_header_done() && !ended() && std::exchange(expects_continue_, false);
}

void request_parser::refuse(status status, std::string problem, error_code& error)
{
    refusal_ = refusal{status, std::move(problem)};
    error = protocol_error::bad_value; // any error makes the parser stop; `refusal_` says which
}

void request_parser::explain(const error_code& error, std::string_view input)
{
    if (error == protocol_error::header_limit && request_.target.empty())
        refusal_ = refusal{status::uri_too_long, "the request target is longer than 4 KiB"};
    else if (error == protocol_error::header_limit)
        refusal_ = refusal{status::request_header_fields_too_large, "the request head is longer than 8 KiB"};
    else if (error == protocol_error::bad_version && names_another_version(input))
        refusal_ = refusal{status::http_version_not_supported, "use HTTP/1.1"};
    else
        refusal_ = refusal{status::bad_request, "this is not an HTTP/1.1 request: " + error.message()};
}

void request_parser::on_request_impl(beast::http::verb method, string_view, string_view target, int version,
                                     error_code& error)
{
    if (target.size() > longest_target)
        return refuse(status::uri_too_long, "the request target is longer than 4 KiB", error);
    request_.method = method;
    request_.target = target;
    request_.version = static_cast<unsigned>(version);
}

void request_parser::on_field_impl(field field, string_view, string_view value, error_code& error)
{
    const bool is_http_1_0 = request_.version < 11;
    switch (field) {
    case field::host: // RFC 9112 §3.2
        if (std::exchange(has_host_, true))
            refuse(status::bad_request, "there is more than one Host", error);
        break;
    case field::content_length: // RFC 9112 §6.3, no. 5
        if (std::exchange(has_content_length_, true))
            refuse(status::bad_request, "there is more than one Content-Length", error);
        break;
    case field::transfer_encoding: // RFC 9112 §6.1
        if (is_http_1_0)
            refuse(status::bad_request, "HTTP/1.0 has no Transfer-Encoding", error);
        else if (!beast::iequals(value, "chunked"))
            refuse(status::not_implemented, "the only Transfer-Encoding here is chunked", error);
        break;
    case field::expect: // RFC 9110 §10.1.1
        if (is_http_1_0)
            break;
        expects_continue_ = beast::iequals(value, "100-continue");
        if (!expects_continue_)
            refuse(status::expectation_failed, "the only expectation met here is 100-continue", error);
        break;
    default:
        break;
    }
}

void request_parser::on_header_impl(error_code& error)
{
    if (!has_host_ && request_.version >= 11) // RFC 9112 §3.2
        return refuse(status::bad_request, "there is no Host", error);
    request_.keep_alive = keep_alive();
    if (chunked())
        body_.expect_chunks();
    else if (const auto length = content_length(); length && *length > ignored_body::longest)
        refuse(status::payload_too_large, "the request body is longer than 64 KiB", error);
    else if (length)
        body_.expect_content(*length);
}

void request_parser::on_finish_impl(error_code&) {}

// Not called: what is parsed here is no response, and has no body.
void request_parser::on_response_impl(int, string_view, int, error_code&) {}
void request_parser::on_body_init_impl(const optional_length&, error_code&) {}
std::size_t request_parser::on_body_impl(string_view, error_code&) { return 0; }
void request_parser::on_chunk_header_impl(std::uint64_t, string_view, error_code&) {}
std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view, error_code&) { return 0; }

} // namespace causeway::http

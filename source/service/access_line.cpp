#include "service/access_line.hpp"

#include "http/characters.hpp"

#include <boost/url/grammar/lut_chars.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>
#include <limits>
#include <string>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

struct is_plain {
    constexpr bool operator()(char c) const noexcept { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }
};

constexpr http::character_set plain_chars{boost::urls::grammar::lut_chars(is_plain{})};

// Whether all of `text` can be in a line as it is. Also false for some texts that could: these are checked again, one
// character after the other.
bool is_surely_plain(std::string_view text)
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    constexpr auto size = sizeof each;
    if (text.size() < size)
        return plain_chars.prefix(text) == text.size();
    // Subtracting 1 from 0 sets a byte's highest bit, and so does subtracting a space from anything less; the borrow
    // reaches the next byte.
    const auto has_other = [](const char* place) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, place, size);
        const auto is_one_of = [&](unsigned char c) { return (bytes ^ each * c) - each; };
        return ((bytes | (bytes - each * ' ') | is_one_of('"') | is_one_of('\\') | is_one_of(0x7f)) & each * 0x80) != 0;
    };
    const auto* const last = text.data() + text.size() - size;
    for (const auto* place = text.data(); place < last; place += size)
        if (has_other(place))
            return false;
    return !has_other(last);
}

constexpr std::string_view cut = "...";

// The most characters that are shown. With these and `longest_target`, no line comes near `longest`.
constexpr std::size_t longest_method = 64;
constexpr std::size_t longest_upstream = 300;

std::string escape(char c, log_format format)
{
    if (c == '"' || c == '\\')
        return {'\\', c};
    return fmt::format("\\{}{:02x}", format == log_format::json ? "u00" : "x", static_cast<unsigned char>(c));
}

// Each of these writes to `to` and returns the end of what it wrote: a position that is passed on can stay in a
// register, one in an object cannot, because a written character might alias it.

inline char* put(char* to, std::string_view text)
{
    using half = std::uint64_t;
    if (text.size() >= sizeof(half) && text.size() <= 2 * sizeof(half)) { // as most have: two halves, which may overlap
        const auto second = text.size() - sizeof(half);
        std::memcpy(to, text.data(), sizeof(half));
        std::memcpy(to + second, text.data() + second, sizeof(half));
    } else {
        std::memcpy(to, text.data(), text.size());
    }
    return to + text.size();
}

inline char* put_number(char* to, std::uint64_t number)
{
    constexpr int most_digits = std::numeric_limits<std::uint64_t>::digits10 + 1;
    return std::to_chars(to, to + most_digits, number).ptr;
}

inline char* put_three_digits(char* to, unsigned number)
{
    for (const auto digit : {number / 100, number / 10 % 10, number % 10})
        *to++ = static_cast<char>('0' + digit);
    return to;
}

// In microseconds.
inline char* put(char* to, std::chrono::nanoseconds duration)
{
    return put_number(to, static_cast<std::uint64_t>(std::max(duration, 0ns) / 1us));
}

char* escape_and_put(char* to, std::string_view text, std::size_t most, log_format format)
{
    const auto* const limit = to + most;
    while (!text.empty()) {
        const auto plain = std::min(plain_chars.prefix(text), static_cast<std::size_t>(limit - to));
        to = put(to, text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty())
            break;
        const auto escaped = escape(text.front(), format);
        if (escaped.size() > static_cast<std::size_t>(limit - to))
            return put(to, cut);
        to = put(to, escaped);
        text.remove_prefix(1);
    }
    return to;
}

inline char* put_escaped(char* to, std::string_view text, std::size_t most, log_format format)
{
    if (text.size() <= most && is_surely_plain(text))
        return put(to, text);
    return escape_and_put(to, text, most, format);
}

// A token needs no escapes.
inline char* put_token(char* to, std::string_view token, std::size_t most, log_format format)
{
    return token.size() <= most ? put(to, token) : escape_and_put(to, token, most, format);
}

} // namespace

// How the time of a request is split. Its message may have been written before the request came, when another's reply
// answers it.
struct access_line::durations {
    explicit durations(const http::access& access)
    {
        const auto& trace = access.trace;
        const auto waited_until = std::clamp(trace.ended_at, trace.read_at, std::max(trace.read_at, access.ended_at));
        const auto written_at =
            trace.upstream.empty() ? waited_until : std::clamp(trace.written_at, trace.read_at, waited_until);
        read = trace.read_at - access.began_at;
        wait = written_at - trace.read_at;
        wire = waited_until - written_at;
        write = access.ended_at - waited_until;
    }

    std::chrono::nanoseconds read, wait, wire, write;
};

void access_line::set_clock(clock::time_point now, std::chrono::system_clock::time_point wall)
{
    since_1970_ = wall.time_since_epoch() - now.time_since_epoch();
    second_begins_ = {};
}

// The text of a second is reused for all lines in it.
char* access_line::put_time(char* to, clock::time_point at)
{
    if (at < second_begins_ || at - second_begins_ >= 1s) {
        const auto wall = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch() + since_1970_);
        second_begins_ = clock::time_point(wall - since_1970_);
        fmt::format_to(second_.data(), "{:%Y-%m-%dT%H:%M:%S}.", fmt::gmtime(static_cast<std::time_t>(wall.count())));
    }
    const auto thousandths = static_cast<unsigned>((at - second_begins_) / 1ms);
    to = put(to, {second_.data(), second_.size()});
    return put(put_three_digits(to, thousandths), "Z");
}

char* access_line::write(const http::access& access, std::string_view peer, char* to)
{
    const durations spent(access);
    return format_ == log_format::json ? write_json(access, peer, spent, to) : write_text(access, peer, spent, to);
}

char* access_line::write_text(const http::access& access, std::string_view peer, const durations& spent, char* to)
{
    to = put_time(to, access.ended_at);
    to = put(to, " ");
    to = put(to, peer.empty() ? "-" : peer);
    to = put(to, " ");
    to = put(to, access.id);
    if (access.method.empty()) {
        to = put(to, " \"-\" ");
    } else {
        to = put(to, " \"");
        to = put_token(to, access.method, longest_method, format_);
        to = put(to, " ");
        to = put_escaped(to, access.target, longest_target, format_);
        to = put(to, access.version < 11 ? " HTTP/1.0\" " : " HTTP/1.1\" ");
    }
    if (access.sent)
        to = put_three_digits(to, access.status);
    else
        to = put(to, "-");
    to = put(to, " ");
    to = put_number(to, access.sent ? access.bytes : 0);
    to = put(to, " ");
    to = put(to, access.trace.outcome.empty() ? "refused" : access.trace.outcome);
    to = put(to, " ");
    to = put_escaped(to, access.trace.upstream.empty() ? "-" : access.trace.upstream, longest_upstream, format_);
    to = put(to, " read=");
    to = put(to, spent.read);
    to = put(to, " wait=");
    to = put(to, spent.wait);
    to = put(to, " wire=");
    to = put(to, spent.wire);
    to = put(to, " write=");
    to = put(to, spent.write);
    return put(to, "\n");
}

char* access_line::write_json(const http::access& access, std::string_view peer, const durations& spent, char* to)
{
    to = put(to, R"({"time":")");
    to = put_time(to, access.ended_at);
    to = put(to, R"(","peer":")");
    to = put(to, peer);
    to = put(to, R"(","id":")");
    to = put(to, access.id);
    if (access.method.empty()) {
        to = put(to, R"(","method":null,"target":null,"version":null,"status":)");
    } else {
        to = put(to, R"(","method":")");
        to = put_token(to, access.method, longest_method, format_);
        to = put(to, R"(","target":")");
        to = put_escaped(to, access.target, longest_target, format_);
        to = put(to,
                 access.version < 11 ? R"(","version":"HTTP/1.0","status":)" : R"(","version":"HTTP/1.1","status":)");
    }
    if (access.sent)
        to = put_three_digits(to, access.status);
    else
        to = put(to, "null");
    to = put(to, R"(,"bytes":)");
    to = put_number(to, access.sent ? access.bytes : 0);
    to = put(to, R"(,"outcome":")");
    to = put(to, access.trace.outcome.empty() ? "refused" : access.trace.outcome);
    if (access.trace.upstream.empty()) {
        to = put(to, R"(","upstream":null,"read_us":)");
    } else {
        to = put(to, R"(","upstream":")");
        to = put_escaped(to, access.trace.upstream, longest_upstream, format_);
        to = put(to, R"(","read_us":)");
    }
    to = put(to, spent.read);
    to = put(to, R"(,"wait_us":)");
    to = put(to, spent.wait);
    to = put(to, R"(,"wire_us":)");
    to = put(to, spent.wire);
    to = put(to, R"(,"write_us":)");
    to = put(to, spent.write);
    return put(to, "}\n");
}

std::string lost_lines(std::uint64_t count, std::chrono::system_clock::time_point now, log_format format)
{
    const auto time = fmt::gmtime(std::chrono::system_clock::to_time_t(now));
    const auto text = fmt::format("{} lines of this log are lost here, because there was no room for them", count);
    if (format == log_format::json)
        return fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}Z","level":"warning","message":"{}"}})"
                           "\n",
                           time, text);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z {}\n", time, text);
}

} // namespace causeway::service

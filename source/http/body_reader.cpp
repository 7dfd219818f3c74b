#include "http/body_reader.hpp"

#include "http/characters.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace causeway::http {

using boost::beast::http::status;

namespace {

// In chunk extensions a quoted string may contain anything except the end of the line (RFC 9110 §5.6.4).
bool quotes_are_closed(std::string_view extensions)
{
    bool quoted = false;
    for (std::size_t at = 0; at < extensions.size(); ++at) {
        if (extensions[at] == '"')
            quoted = !quoted;
        else if (quoted && extensions[at] == '\\')
            ++at;
    }
    return !quoted;
}

bool has_field_name(std::string_view line)
{
    const auto end = token_chars.prefix(line);
    return end != 0 && end != line.size() && line[end] == ':';
}

} // namespace

body_reader::body_reader(std::string* content)
    : content_(content)
{
}

void body_reader::expect_content(std::uint64_t length)
{
    data_left_ = length;
    next_ = length == 0 ? part::nothing : part::content;
}

void body_reader::expect_chunks() { next_ = part::chunk_size; }

std::size_t body_reader::read(std::string_view input, std::optional<refusal>& refused)
{
    const auto size = input.size();
    while (!input.empty() && !ended() && !refused) {
        if (next_ == part::content || next_ == part::chunk_data)
            take_data(input);
        else
            refused = read_line(input);
    }
    return size - input.size();
}

void body_reader::take_data(std::string_view& input)
{
    const auto count = std::min<std::uint64_t>(data_left_, input.size());
    if (content_)
        content_->append(input.substr(0, count));
    input.remove_prefix(count);
    data_left_ -= count;
    if (data_left_ == 0)
        next_ = next_ == part::content ? part::nothing : part::end_of_chunk;
}

std::optional<refusal> body_reader::read_line(std::string_view& input)
{
    const auto line_feed = input.find('\n');
    const auto count = line_feed == std::string_view::npos ? input.size() : line_feed + 1;
    line_ += input.substr(0, count);
    input.remove_prefix(count);
    if (const auto problem = scanner_.scan(std::string_view(line_).substr(line_.size() - count)))
        return refusal{status::bad_request, std::string(*problem)};
    if (extras_ + line_.size() > longest_extras)
        return refusal{status::bad_request, "the chunk extensions and trailers are longer than 8 KiB"};
    if (!line_.ends_with('\n'))
        return std::nullopt;
    auto problem_of_line = take_line(std::string_view(line_).substr(0, line_.size() - 2));
    line_.clear();
    return problem_of_line;
}

std::optional<refusal> body_reader::take_line(std::string_view line)
{
    if (next_ == part::chunk_size) {
        return take_chunk_size(line);
    } else if (next_ == part::trailer) {
        if (!line.empty() && !has_field_name(line))
            return refusal{status::bad_request, "a trailer is not a field"};
        extras_ += line.size();
        next_ = line.empty() ? part::nothing : part::trailer;
    } else if (line.empty()) {
        next_ = part::chunk_size;
        scanner_ = {};
    } else {
        return refusal{status::bad_request, "a chunk is longer than its size says"};
    }
    return std::nullopt;
}

std::optional<refusal> body_reader::take_chunk_size(std::string_view line)
{
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (error == std::errc::invalid_argument)
        return refusal{status::bad_request, "a chunk has no size"};
    const auto extensions = line.substr(static_cast<std::size_t>(end - line.data()));
    const auto begin = extensions.find_first_not_of(" \t");
    if (!extensions.empty() && (begin == std::string_view::npos || extensions[begin] != ';'))
        return refusal{status::bad_request, "only extensions may follow the size of a chunk"};
    if (!quotes_are_closed(extensions))
        return refusal{status::bad_request, "a chunk extension has no end"};
    if (error == std::errc::result_out_of_range || size > longest - data_size_)
        return refusal{status::payload_too_large, "the request body is longer than 64 KiB"};

    extras_ += extensions.size();
    data_size_ += size;
    data_left_ = size;
    next_ = size == 0 ? part::trailer : part::chunk_data;
    return std::nullopt;
}

} // namespace causeway::http

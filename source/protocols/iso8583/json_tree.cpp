#include "protocols/iso8583/json_tree.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <limits>
#include <stdexcept>
#include <utility>

namespace causeway::iso8583 {
namespace {

using kind = json_value::kind;
using boost::system::error_code;

// Builds the tree from the parser's events. An open value is the last member of its parent, whose members do not move
// before it is closed.
class tree_builder {
public:
    static constexpr auto max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr auto max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr auto max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr auto max_string_size = std::numeric_limits<std::size_t>::max();

    std::size_t values_left = 0; // that there may still be
    unsigned line = 1;
    json_value root;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& error) { return open(kind::object, error); }
    bool on_object_end(std::size_t, error_code&) { return close(); }
    bool on_array_begin(error_code& error) { return open(kind::array, error); }
    bool on_array_end(std::size_t, error_code&) { return close(); }

    bool on_key_part(boost::json::string_view part, std::size_t, error_code&) { return collect(part); }
    bool on_key(boost::json::string_view part, std::size_t, error_code&)
    {
        collect(part);
        name_ = std::exchange(text_, {});
        return true;
    }
    bool on_string_part(boost::json::string_view part, std::size_t, error_code&) { return collect(part); }
    bool on_string(boost::json::string_view part, std::size_t, error_code& error)
    {
        collect(part);
        return add(kind::string, std::exchange(text_, {}), error);
    }
    bool on_number_part(boost::json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t number, boost::json::string_view, error_code& error)
    {
        return add(kind::number, std::to_string(number), error);
    }
    bool on_uint64(std::uint64_t number, boost::json::string_view, error_code& error)
    {
        return add(kind::number, std::to_string(number), error);
    }
    bool on_double(double, boost::json::string_view, error_code& error) { return add(kind::number, {}, error); }
    bool on_bool(bool value, error_code& error) { return add(kind::boolean, value ? "true" : "false", error); }
    bool on_null(error_code& error) { return add(kind::null, {}, error); }
    bool on_comment_part(boost::json::string_view, error_code&) { return true; }
    bool on_comment(boost::json::string_view, error_code&) { return true; }

private:
    bool collect(boost::json::string_view part)
    {
        text_.append(part.data(), part.size());
        return true;
    }

    // A null pointer when there are too many values.
    json_value* add(kind is, error_code& error)
    {
        if (values_left == 0) {
            error = boost::json::error::object_too_large;
            return nullptr;
        }
        --values_left;
        auto& place = open_.empty() ? root : open_.back()->members.emplace_back();
        place = {.is = is, .name = std::exchange(name_, {}), .line = line};
        return &place;
    }

    bool add(kind is, std::string text, error_code& error)
    {
        auto* const value = add(is, error);
        if (value != nullptr)
            value->text = std::move(text);
        return value != nullptr;
    }

    bool open(kind is, error_code& error)
    {
        auto* const value = add(is, error);
        if (value != nullptr)
            open_.push_back(value);
        return value != nullptr;
    }

    bool close()
    {
        open_.pop_back();
        return true;
    }

    std::vector<json_value*> open_;
    std::string name_; // of the next value
    std::string text_; // the characters so far of a name or a string
};

boost::json::parse_options options(std::size_t depth)
{
    boost::json::parse_options options;
    options.max_depth = depth;
    options.allow_invalid_utf8 = true;
    return options;
}

std::string_view take_line(std::string_view& text)
{
    const auto end = text.find('\n');
    const auto line = text.substr(0, end == std::string_view::npos ? end : end + 1);
    text.remove_prefix(line.size());
    return line;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

} // namespace

// The parser is fed line by line, so that the handler knows the line number. No token continues on the next line. Blank
// lines are left out, because there may be very many.
boost::system::result<json_value, json_problem> parse_json(std::string_view text, std::size_t depth, std::size_t values)
{
    boost::json::basic_parser<tree_builder> parser(options(depth));
    auto& builder = parser.handler();
    builder.values_left = values;
    bool empty = true;
    error_code error;
    for (; !text.empty(); ++builder.line) {
        auto line = take_line(text);
        if (is_blank(line))
            continue;
        empty = false;
        if (!parser.done()) {
            line.remove_prefix(parser.write_some(true, line.data(), line.size(), error));
            if (error == boost::json::error::too_deep)
                return json_problem{builder.line, fmt::format("it is nested more than {} levels deep", depth)};
            if (error == boost::json::error::object_too_large)
                return json_problem{builder.line, fmt::format("it has more than {} values", values)};
            if (error)
                return json_problem{builder.line, error.message()};
        }
        if (!is_blank(line))
            return json_problem{builder.line, "there is something after the end"};
    }
    if (empty)
        return json_problem{builder.line, "it is empty"};
    parser.write_some(false, text.data(), 0, error);
    if (error)
        return json_problem{builder.line - 1, error.message()};
    return std::move(builder.root);
}

void throw_exception_from_error(const json_problem& problem, const boost::source_location&)
{
    throw std::invalid_argument(fmt::format("line {}: {}", problem.line, problem.what));
}

} // namespace causeway::iso8583

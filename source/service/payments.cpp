#include "service/payments.hpp"

#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/json.hpp"
#include "protocols/iso8583/message.hpp"
#include "service/regular_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <utility>

namespace causeway::service {
namespace {

std::string content_of(const std::string& file)
try {
    return text_of_regular_file(file);
} catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("cannot read --iso8583-spec {}: {}; the built-in dialects "
                                         "are postilion and iso8583-1987-ascii",
                                         file, error.what()));
}

} // namespace

iso8583::dialect dialect_of(const std::string& name_or_file)
{
    const auto built_in = iso8583::built_in_dialect_files();
    if (std::ranges::find(built_in, name_or_file, &iso8583::dialect_file::name) != built_in.end())
        return iso8583::dialect::built_in(name_or_file);
    return iso8583::dialect::parse(content_of(name_or_file), name_or_file);
}

iso8583::settings payments_in(const iso8583_settings& options)
try {
    iso8583::settings settings{.dialect = dialect_of(options.wire.dialect),
                               .framing = options.wire.framing,
                               .key_fields = options.key_fields,
                               .signs_on = options.signs_on,
                               .late_replies = options.late_replies,
                               .echo_after = options.echo_after};
    iso8583::protocol(settings); // throws
    return settings;
} catch (const std::invalid_argument& error) {
    throw std::runtime_error(error.what());
}

backend::host_settings host_settings_in(const iso8583_wire& options)
try {
    backend::host_settings settings{.dialect = dialect_of(options.dialect), .framing = options.framing};
    backend::check(settings);
    return settings;
} catch (const std::invalid_argument& error) {
    throw std::runtime_error(error.what());
}

std::string example_of_a_purchase(const iso8583::settings& payments, std::chrono::system_clock::time_point now)
{
    const auto time = fmt::format("{:%m%d%H%M%S}", fmt::gmtime(now));
    iso8583::message purchase{.mti = "0200", .elements = {}};
    for (const auto& [number, text] : std::initializer_list<std::pair<unsigned, std::string>>{
             {3, "000000"}, {4, "000000001000"}, {7, time}, {11, "000001"}, {37, "000000000001"}, {41, "TERM0001"}}) {
        iso8583::element element{.number = number, .text = text, .parts = {}};
        if (payments.dialect.pack({.mti = purchase.mti, .elements = {element}}))
            purchase.elements.push_back(std::move(element));
    }
    std::string json;
    if (iso8583::question_for(purchase, payments))
        iso8583::append_json(purchase, json);
    return json;
}

} // namespace causeway::service

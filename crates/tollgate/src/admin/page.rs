//! The front page: one server-made HTML document without scripts.

use std::fmt::Write;

use crate::gateway::Gateway;

const STYLE: &str = include_str!("page.css");

/// What runs, and the first call.
pub(super) fn front(gateway: &Gateway, data_url: &str) -> String {
    let mut page = String::with_capacity(8 << 10);
    // Writing into a string cannot fail.
    let _ = write_page(&mut page, gateway, data_url);
    page
}

fn write_page(page: &mut String, gateway: &Gateway, data_url: &str) -> std::fmt::Result {
    let model = gateway.first_model().unwrap_or_else(|| "MODEL".into());
    write!(
        page,
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width,initial-scale=1'>\
         <title>Tollgate</title><style>{STYLE}</style>\
         <main><header><h1>Tollgate</h1><p>One API over every model. Version {}.</p></header>",
        env!("CARGO_PKG_VERSION"),
    )?;
    first_call(page, data_url, &model)?;
    providers(page, gateway)?;
    models(page, gateway)?;
    page.push_str(
        "<section><h2>For operators</h2><ul>\
         <li><a href=/healthz>/healthz</a> the process lives</li>\
         <li><a href=/readyz>/readyz</a> it takes new calls</li>\
         <li><a href=/metrics>/metrics</a> Prometheus metrics</li></ul></section></main></html>",
    );
    Ok(())
}

fn first_call(page: &mut String, data_url: &str, model: &str) -> std::fmt::Result {
    let (url, model) = (escaped(data_url), escaped(model));
    write!(
        page,
        "<section><h2>The first call</h2><p>The data plane listens on <code>{url}</code>. \
         Use the key that was printed at the first start, or make another with \
         <code>tollgate keys create --name NAME</code>.</p>\
         <pre>curl {url}/v1/chat/completions \\\n  -H \"Authorization: Bearer $TOLLGATE_KEY\" \\\n  \
         -H 'Content-Type: application/json' \\\n  \
         -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'</pre>\
         <p>Or change one base URL in the SDK you already use:</p>\
         <table><tr><th>SDK<th>base URL\
         <tr><td>OpenAI<td><code>{url}/v1</code>\
         <tr><td>Anthropic<td><code>{url}</code>\
         <tr><td>Google<td><code>{url}</code></table></section>",
    )
}

fn providers(page: &mut String, gateway: &Gateway) -> std::fmt::Result {
    page.push_str("<section><h2>Providers</h2><table><tr><th>Name<th>Kind<th>Host<th>Speaks");
    for upstream in gateway.upstreams.values() {
        let spoken: Vec<&str> = upstream.spoken.iter().map(|s| s.dialect.id().as_str()).collect();
        let host = upstream.origin.authority.to_str().unwrap_or_default();
        write!(
            page,
            "<tr><td><code>{}</code><td>{}<td><code>{}</code><td>{}",
            escaped(&upstream.name),
            upstream.row.kind,
            escaped(host),
            spoken.join(", "),
        )?;
    }
    page.push_str("</table></section>");
    Ok(())
}

fn models(page: &mut String, gateway: &Gateway) -> std::fmt::Result {
    page.push_str("<section><h2>Models</h2>");
    if gateway.config.models.is_empty() {
        page.push_str(
            "<p>None are named in the configuration: ask for any model as \
             <code>provider/model</code>.</p></section>",
        );
        return Ok(());
    }
    page.push_str("<table><tr><th>Name<th>Targets, in order");
    for model in &gateway.config.models {
        let targets: Vec<String> = model
            .targets
            .iter()
            .map(|to| format!("<code>{}</code>", escaped(&format!("{}/{}", to.provider, to.model))))
            .collect();
        let name = escaped(model.name.as_str());
        write!(page, "<tr><td><code>{name}</code><td>{}", targets.join(" → "))?;
    }
    page.push_str("</table></section>");
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

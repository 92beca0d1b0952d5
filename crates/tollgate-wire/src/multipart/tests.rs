//! Forms in every cut, and forms that two readers could take apart differently.

use super::*;

const TYPE: &str = "multipart/form-data; boundary=XyZ";

fn body(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (head, data) in parts {
        out.extend_from_slice(format!("--XyZ\r\n{head}\r\n\r\n{data}\r\n").as_bytes());
    }
    out.extend_from_slice(b"--XyZ--\r\n");
    out
}

fn plain(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

fn read(bytes: &[u8], cut: usize) -> Result<Form, FormError> {
    let mut form = Form::new(TYPE, &["model", "purpose"])?;
    for piece in bytes.chunks(cut) {
        form.push(piece)?;
    }
    form.end()?;
    Ok(form)
}

#[test]
fn fields_and_files_are_found_however_the_body_is_cut() {
    let file = "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b;.wav\"\r\nContent-Type: audio/wav";
    let data = "bytes\r\n--Xy\r\n--XyY\r\n-";
    let bytes = body(&[
        (file, data),
        (&plain("language"), "en"),
        (&plain("model"), "whisper-1"),
        (&plain("purpose"), ""),
    ]);
    for cut in 1..bytes.len() + 1 {
        let form = read(&bytes, cut).unwrap();
        let model = form.field("model").unwrap();
        assert_eq!(model.value, b"whisper-1", "{cut}");
        let at = usize::try_from(model.at.start).unwrap()..usize::try_from(model.at.end).unwrap();
        assert_eq!(&bytes[at], b"whisper-1", "{cut}");
        assert_eq!(form.field("purpose").unwrap().value, b"", "{cut}");
        let [found] = form.files() else { panic!("{:?}", form.files()) };
        assert_eq!(found.name, "file");
        let (from, to) = (usize::try_from(found.from).unwrap(), found.to.unwrap());
        assert_eq!(&bytes[from..usize::try_from(to).unwrap()], data.as_bytes(), "{cut}");
        assert!(form.has_all());
    }
}

#[test]
fn what_two_readers_could_take_apart_differently_is_refused() {
    let model = plain("model");
    let twice = body(&[(&model, "a"), (&model, "b")]);
    let quoted = "Content-Disposition: form-data; name=model";
    for (bytes, error) in [
        (twice, FormError::Twice("model")),
        (body(&[(&model, "a"), (quoted, "b")]), FormError::Twice("model")),
        (body(&[(&model, "a"), (&plain("model[]"), "b")]), FormError::Twice("model")),
        (body(&[(&format!("{model}; filename=\"x\""), "a")]), FormError::File("model")),
        (body(&[("Content-Disposition: form-data; name*=utf-8''model", "a")]), FormError::Head),
        (
            body(&[("Content-Disposition: form-data; name=\"a\"; name=\"model\"", "a")]),
            FormError::Head,
        ),
        (body(&[("Content-Type: text/plain", "a")]), FormError::Head),
        (body(&[("Content-Disposition: form-data;\r\n name=\"model\"", "a")]), FormError::Head),
        ([b"preamble\r\n".to_vec(), body(&[(&model, "a")])].concat(), FormError::Beginning),
        ([body(&[(&model, "a")]), b"--XyZ\r\n".to_vec()].concat(), FormError::Epilogue),
        (b"--XyZ \r\n".to_vec(), FormError::Delimiter),
        (b"--XyZ\r\nContent-Disp".to_vec(), FormError::Unfinished),
        (b"".to_vec(), FormError::Unfinished),
        (body(&[(&"a".repeat(9000), "a")]), FormError::LongHead),
        (body(&[(&model, &"a".repeat(70_000))]), FormError::LongField),
        (body(&vec![("Content-Disposition: form-data; name=x", "a"); 1_001]), FormError::ManyParts),
    ] {
        for cut in [1, 7, 1 << 20] {
            assert_eq!(read(&bytes, cut).map(drop).unwrap_err(), error, "cut {cut}");
        }
    }
}

#[test]
fn a_boundary_is_as_the_standard_wants_it() {
    let long = format!("multipart/form-data; boundary={}", "a".repeat(1 << 20));
    for none in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"a b \u{e9}\"",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/mixed; boundary=a",
        "application/json",
        &long,
    ] {
        assert_eq!(Form::new(none, &[]).map(drop), Err(FormError::Boundary));
    }
    for good in [
        "Multipart/Form-Data;boundary=----x_1",
        "multipart/form-data; charset=utf-8; boundary=\"a=b\"",
    ] {
        assert!(Form::new(good, &[]).is_ok(), "{good}");
    }
}

#[test]
fn a_field_that_is_put_first_is_read_back() {
    let bytes = body(&[(&plain("language"), "en")]);
    let first = Form::new(TYPE, &[]).unwrap().written_field("model", "whisper-1");
    let form = read(&[first, bytes].concat(), 5).unwrap();
    assert_eq!(form.field("model").unwrap().value, b"whisper-1");
}
